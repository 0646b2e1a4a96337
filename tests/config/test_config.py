"""`caxton.toml` is read whole or refused with file, line, key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton import config
from caxton.duration import seconds
from caxton.errors import ConfigurationError
from caxton.limits import BOUNDS, Limits

NOTHING: dict[str, str] = {}


def write(folder: Path, text: str) -> Path:
    (folder / "caxton.toml").write_text(text, "utf-8")
    return folder


def refusal(folder: Path, text: str, environ: dict[str, str] = NOTHING) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        config.load(write(folder, text), environ)
    return caught.value


def test_an_empty_file_is_a_project_with_defaults(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    project = config.load(write(folder, ""), NOTHING)
    assert project.config.name == "shop"
    assert project.config.platform == "local"
    assert project.config.cell_count() >= 1
    assert project.config.default_limits() == Limits()
    assert project.state == folder / ".caxton"
    assert {s.source for s in project.effective()} == {"default"}


def test_values_sizes_and_durations(tmp_path: Path) -> None:
    text = """
name = "market"
platform = "fair"
cells = 3
[limits]
memory_bytes = "8MiB"
wall_ms = "250ms"
[journal]
keep_days = 7
[compile]
wall_s = "20s"
[agents.ann]
wasm = "seller.wasm"
settings = {price = 3, mood = "eager"}
limits = {memory_bytes = "1MiB", fuel = 5_000_000}
profile = "strict"
start = false
"""
    project = config.load(write(tmp_path, text), NOTHING)
    made = project.config
    assert (made.name, made.platform, made.cell_count()) == ("market", "fair", 3)
    assert made.default_limits() == Limits(memory_bytes=8 * 1024**2, wall_ms=250)
    assert made.limits_of("ann") == Limits(memory_bytes=1024**2, wall_ms=250, fuel=5_000_000)
    assert made.limits_of("nobody") == made.default_limits()
    assert made.compile.wall_s == 20.0
    assert made.agents["ann"].settings == {"price": 3, "mood": "eager"}
    assert project.module("ann") == (tmp_path / "seller.wasm").resolve()
    shown = {s.key: s for s in project.effective()}
    assert shown["limits.memory_bytes"].value == 8 * 1024**2
    assert shown["limits.memory_bytes"].source == "caxton.toml"
    assert shown["limits.hops"].source == "default"
    assert shown["agents.ann.start"].source == "caxton.toml"
    assert project.problems() == [f"[agents.ann] wasm: there is no file {project.module('ann')}"]
    project.module("ann").write_bytes(b"\0asm")
    assert project.problems() == []


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_bytes("\ufeffcells = 2\r\n[agents.a]\r\nwasm = 'a'\r\n".encode())
    project = config.load(tmp_path, {})
    assert (project.config.cells, list(project.config.agents)) == (2, ["a"])


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            "[journal]\nkep_days = 3",
            "caxton.toml:2: unknown key 'journal.kep_days'",
            "did you mean 'keep_days'?",
        ),
        ("celss = 3", "caxton.toml:1: unknown key 'celss'", "did you mean 'cells'?"),
        ("[agents.a]\nwasm='a'\n\nstrat=1", "caxton.toml:4: unknown key 'agents.a.strat'", "'start'?"),
        ("[limits]\nfule = 3", "there is no limit 'fule', did you mean 'fuel'?", None),
        ("[limits]\nfuel = 3", "fuel = 3 is outside", None),
        ('[limits]\nmemory_bytes = "3 apples"', "a size is a number of bytes", None),
        ("[limits]\nfuel = true", "fuel must be a whole number", None),
        ('cells = "3"', "caxton.toml:1: cells: ", None),
        ("cells = 0", "cells: ", None),
        ('[log]\nlevel = "loud"', "caxton.toml:2: log.level: ", None),
        ("[agents.a]\nstart = true", "agents.a.wasm: ", None),
        ('[agents.a]\nwasm = "a"\nrecover = "magic"', "agents.a.recover: ", None),
        ('[agents.ams]\nwasm = "a"', "'ams' belongs to the platform", "operator"),
        ('[agents."operator.ann"]\nwasm = "a"', "'operator.ann' belongs to the platform", "operator.NAME"),
        ('[agents.Operator]\nwasm = "a"', "'Operator' belongs to the platform", "operator"),
        ('[agents."Ann!"]\nwasm = "a"', "'Ann!' cannot be the name of an agent", "a-z"),
        (
            '[agents.Ann]\nwasm = "a"\n[agents.ann]\nwasm = "a"',
            "'ann' differs from the agent 'Ann'",
            "another",
        ),
        ('[agents."a..b"]\nwasm = "a"', "cannot be the name", None),
        ("name = ", "caxton.toml: ", "TOML"),
    ],
)
def test_refusals(tmp_path: Path, text: str, said: str, hint: str | None) -> None:
    error = refusal(tmp_path, text)
    assert said in error.message
    assert "\n" not in error.message
    if hint:
        assert error.hint is not None
        assert hint in error.hint


def test_every_complaint_is_in_the_details(tmp_path: Path) -> None:
    error = refusal(tmp_path, "celss = 1\n[log]\nfrmat = 'x'")
    assert error.message.endswith("(and 1 more)")
    assert len(error.details["problems"]) == 2


def test_not_utf8_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no caxton\.toml in") as caught:
        config.load(tmp_path, NOTHING)
    assert caught.value.hint is not None
    (tmp_path / "caxton.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        config.load(tmp_path, NOTHING)


def test_the_nearest_folder_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert config.find_folder(deep) == tmp_path.resolve()
    monkeypatch.chdir(deep)
    assert config.load(environ=NOTHING).folder == tmp_path.resolve()


def test_the_environment_overrides_and_is_named_as_the_source(tmp_path: Path) -> None:
    environ = {
        "CAXTON_JOURNAL_KEEP_DAYS": "2",
        "CAXTON_LOG_LEVEL": "debug",
        "CAXTON_CELLS": "5",
        "CAXTON_CALLS": "x",
    }
    project = config.load(write(tmp_path, "[journal]\nkeep_days = 9"), environ)
    assert project.config.journal.keep_days == 2
    assert project.config.log.level == "debug"
    assert project.config.cell_count() == 5
    assert {s.key: s.source for s in project.effective()}["journal.keep_days"] == "CAXTON_JOURNAL_KEEP_DAYS"
    error = refusal(tmp_path, "", {"CAXTON_LOG_LEVLE": "info"})
    assert "CAXTON_LOG_LEVEL" in (error.hint or "")
    assert "CAXTON_LOG_LEVEL: " in refusal(tmp_path, "", {"CAXTON_LOG_LEVEL": "loud"}).message.replace(
        "log.level: ", ""
    )


@given(st.sampled_from(sorted(BOUNDS)), st.integers())
def test_a_limit_is_inside_its_bounds_or_refused(key: str, number: int) -> None:
    low, high = BOUNDS[key]
    if low <= number <= high:
        assert getattr(config.limits_from({key: number}), key) == number
    else:
        with pytest.raises(ValueError, match="outside"):
            config.limits_from({key: number})


@given(st.integers(min_value=0, max_value=10**6), st.sampled_from(["ms", "s", "m"]))
def test_durations(number: int, unit: str) -> None:
    assert seconds(f"{number}{unit}") == pytest.approx(number * {"ms": 0.001, "s": 1, "m": 60}[unit])


def test_every_key_has_its_sentence() -> None:
    listed = dict(config.keys())
    assert {"cells", "journal.keep_days", "agents.NAME.wasm", "limits"} <= set(listed)
    assert all(listed.values())


def test_the_environment_reaches_every_table_but_the_agents(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("")
    said = {
        "CAXTON_TELEMETRY_EXPORTER": "otlp",
        "CAXTON_BUS_HELD": "7",
        "CAXTON_REFEREE_MODE": "warn",
        "CAXTON_DEPLOY_PROBE": "false",
    }
    found = config.load(tmp_path, said)
    held, mode, probe = found.config.bus.held, found.config.referee.mode, found.config.deploy.probe
    assert (found.config.telemetry.exporter, held, mode, probe) == ("otlp", 7, "warn", False)
    assert found.sources["bus.held"] == "CAXTON_BUS_HELD"
    with pytest.raises(ConfigurationError, match="CAXTON_TELEMETRY_EXPORT is no setting"):
        config.load(tmp_path, {"CAXTON_TELEMETRY_EXPORT": "otlp"})


def test_the_file_may_stand_elsewhere_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    elsewhere, project = tmp_path / "etc", tmp_path / "project"
    elsewhere.mkdir()
    project.mkdir()
    (elsewhere / "market.toml").write_text('[agents.echo]\nwasm = "echo.wasm"\n')
    found = config.load(project, {"CAXTON_CONFIG_PATH": str(elsewhere / "market.toml")})
    assert (found.folder, found.file) == (project, elsewhere / "market.toml")
    assert found.module("echo") == elsewhere / "echo.wasm"
    assert found.state == project / ".caxton"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        config.load(project, {"CAXTON_CONFIG_PATH": str(elsewhere / "missing.toml")})
