"""What `caxton run` prints, writes and ends with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from caxton.cli import scenario_runs
from caxton.cli.options import Format
from caxton.errors import ConfigurationError, Exit, ResourceError
from caxton.scenario import suite
from caxton.scenario.simulated import simulated_host
from caxton.scenario.suite import Settings, chosen, run

from .files import ADD, COUNTER, step, written

GOOD = ADD + step(wait='{ filter = "act:inform" }')
BAD = ADD + step(expect='{ filter = "act:inform", content = { count = "<b>%" } }')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, steps in (("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.toml").write_text(
            f"{COUNTER}\n{steps}".replace("format = 1", f'format = 1\nname = "{name}"')
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(folder: Path, **options: Any) -> Exit:
    usual: dict[str, Any] = {
        "words": "",
        "seed": None,
        "cells": 0,
        "choices": None,
        "jobs": 1,
        "junit": None,
        "html": None,
        "github": False,
        "keep": False,
        "attach": False,
        "coverage": False,
        "project": None,
        "output": Format.TEXT,
    }
    return scenario_runs.run([folder], **(usual | options))


def test_text_is_a_line_for_each_and_all_of_what_failed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(folder, github=True) is Exit.EXPECTATION
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("failed  bad.toml  bad  (seed 0, journal ")
    assert lines[-1].startswith("passed  good.toml  good  (seed 0, journal ")
    assert "  again: caxton run bad.toml --seed 0" in lines
    assert any("▲ here: content, count" in line for line in lines)
    (annotation,) = [line for line in lines if line.startswith("::error ")]
    assert ",line=8,title=bad%3A failed::" in annotation
    assert "<b>%25" in annotation
    assert err.startswith("1 passed, 1 not in ")


def test_nothing_but_data_is_printed_to_a_pipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(folder, words="good", output=Format.JSONL, seed=4) is Exit.OK
    out, err = capsys.readouterr()
    (one,) = [json.loads(line) for line in out.splitlines()]
    assert (one["verdict"], one["exit"], one["seed"], one["messages"]) == ("passed", 0, 4, 2)
    assert "\r" not in err
    assert ran(folder, words="!good", output=Format.JSON) is Exit.EXPECTATION
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["step"], one["line"], one["difference"]["got"]) == (2, 8, "2")


def test_junit_is_what_others_read(folder: Path) -> None:
    ran(folder, junit=folder / "out.xml")
    suite = ElementTree.parse(folder / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    bad, good = suite.iter("testcase")
    assert (bad.get("name"), good.get("name")) == ("bad", "good")
    failure = bad.find("failure")
    assert failure is not None
    assert failure.text
    assert '"<b>%"' in failure.text
    assert len(good) == 0
    # what the schemas in use ask of a suite and a case: all figures are numbers, and they add up
    (inner,) = suite
    assert inner.tag == "testsuite"
    assert inner.get("name") == "caxton"
    for one in (suite, inner):
        assert {"tests", "failures", "errors", "time"} <= set(one.keys())
    took_s = [float(one.get("time", "")) for one in (bad, good)]
    assert float(inner.get("time", "")) == pytest.approx(sum(took_s), abs=0.002)
    assert all({"classname", "name", "file"} <= set(one.keys()) for one in (bad, good))
    assert (failure.get("type"), failure.get("message")) == ("failed", "expect act:inform")


def test_a_page_has_everything_and_nothing_said_is_markup(folder: Path) -> None:
    ran(folder, html=folder / "out.html")
    page = (folder / "out.html").read_text("utf-8")
    body = page[page.index("<body>") :]
    root = ElementTree.fromstring(body.replace("</html>", ""))
    names = [
        cell.text
        for cell in root.findall("./table/tbody/tr/td[2]//*") + root.findall("./table/tbody/tr/td[2]")
    ]
    assert {"bad", "good"} <= set(names)
    (shown,) = root.findall("pre")
    assert shown.text
    assert '"<b>%"' in shown.text
    assert "▲ here: content, count" in shown.text
    assert "again: caxton run" in shown.text
    assert not [one for one in ("<script", "src=", "http:", "https:") if one in page]


def test_a_journal_is_kept(folder: Path) -> None:
    ran(folder, words="good", keep=True)
    (kept,) = (folder / ".caxton" / "scenarios").iterdir()
    assert kept.read_bytes().startswith(b"SQLite format 3")


def test_words_that_mean_nothing_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no scenario"):
        ran(folder, words="xyzzy")


@pytest.mark.system
def test_several_at_a_time_come_to_the_same(folder: Path) -> None:
    files = chosen([folder / "good.toml", folder / "bad.toml"])
    one, two = (
        [(result.verdict, result.digest) for result in run(files, Settings(), jobs=jobs)] for jobs in (1, 2)
    )
    assert one == two


@pytest.mark.system
def test_a_process_that_dies_on_the_way_is_an_error_with_a_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "quiet", os.abort)
    with pytest.raises(ResourceError, match="ended before it was done"):
        list(run(chosen([folder / "good.toml", folder / "bad.toml"]), Settings(), jobs=2))


def test_looking_on_changes_nothing(tmp_path: Path) -> None:
    """However much is expected of a run, and however often it is looked at, it is the same run."""
    digests = set()
    for expected in ("", step(expect='{ filter = "act:inform", fuel = ">0", path = { count = 2 } }')):
        file = written(tmp_path, ADD + expected)
        with simulated_host(file, 3) as host:
            assert file.scenario.step[0].send
            host.send({"conversation_id": "c", **file.scenario.step[0].send})
            for _ in range(20 if expected else 0):
                assert host.messages()
                assert host.conversation("c")
            host.quiet(1, 10)
            digests.add(host.digest())
    assert len(digests) == 1
