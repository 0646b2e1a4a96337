"""One grammar for durations: what one door takes, every door takes, and what one refuses, every door refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from caxton import config
from caxton.acl.reply_by import reply_by_time, time_text
from caxton.api.routes.messages import duration
from caxton.cli import options
from caxton.deploy.options import stages
from caxton.duration import PATTERN, seconds, spelled
from caxton.errors import ConfigurationError, InvalidMessage

NOW = 1_700_000_000_000_000
TAKEN = {
    "200ms": 0.2,
    "5s": 5.0,
    "1.5m": 90.0,
    "2h": 7_200.0,
    "1d": 86_400.0,
    "5 m": 300.0,
    " 5s ": 5.0,
    "+5s": 5.0,
    "90": 90.0,
    "0.25": 0.25,
}
REFUSED = ["", "soon", "5x", "5S", "1.s", ".5s", "1e3", "5s5",
           "1m30s", "--5s", "5,5s", "\u0665s", "9" * 10 + "s", "nan", "inf"]  # fmt: skip


def _file(text: str, folder: Path) -> float:
    (folder / "caxton.toml").write_text(f'[deploy]\nprobation_s = "{text}"\n', "utf-8")
    return config.load(folder, {}).config.deploy.probation_s


def _reply_by(text: str) -> float:
    wait = reply_by_time(text, NOW)
    return next(length for length in TAKEN.values() if wait == time_text(NOW + round(length * 1e6)))


DOORS: dict[str, Callable[[str, Path], float]] = {
    "option": lambda text, _: options.seconds(text),
    "option that is passed on": lambda text, _: seconds(options.duration_text(text)),
    "query or body": lambda text, _: duration("wait", text, 86_400.0),
    "reply_by": lambda text, _: _reply_by(text),
    "file": _file,
    "stage": lambda text, _: stages(f"5:{text}")[0].for_s,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken_is_taken_everywhere(tmp_path: Path, door: str, text: str) -> None:
    assert DOORS[door](text, tmp_path) == pytest.approx(TAKEN[text])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_refused_everywhere(tmp_path: Path, door: str, text: str) -> None:
    with pytest.raises((ConfigurationError, InvalidMessage, typer.BadParameter)) as refused:
        DOORS[door](text, tmp_path)
    if door in ("option", "option that is passed on", "query or body", "file"):
        assert "is not a duration: write a number with ms, s, m, h or d, such as 500ms or 2h" in str(
            refused.value
        )


@pytest.mark.parametrize("door", [door for door in DOORS if door != "reply_by"])
def test_only_a_reply_by_counts_backwards(tmp_path: Path, door: str) -> None:
    with pytest.raises((ConfigurationError, InvalidMessage, typer.BadParameter)):
        DOORS[door]("-5s", tmp_path)
    assert reply_by_time("-5s", NOW) == time_text(NOW - 5_000_000)


def test_the_schema_says_the_same() -> None:
    assert all(re.search(PATTERN, text) for text in [*TAKEN, "-5s"])
    assert not any(re.search(PATTERN, text) for text in REFUSED)


@pytest.mark.parametrize(
    ("length_s", "text"), [(3_600, "1h"), (86_400, "1d"), (90, "90s"), (120, "2m"), (0.5, "0.5s")]
)
def test_a_limit_is_named_in_words_that_can_be_written(length_s: float, text: str) -> None:
    assert spelled(length_s) == text
    assert seconds(text, most_s=length_s) == length_s
    with pytest.raises(ValueError, match=f"longer than the {text} that are allowed"):
        seconds(length_s + 1, most_s=length_s)
