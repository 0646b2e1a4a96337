"""The log: one line a record, ids in it, nothing that moves a cursor or forges a line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Generator

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caxton.telemetry import logs


@pytest.fixture
def root() -> Generator[None]:
    """The process's own logging, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield
    logger.handlers, logger.level = handlers, level
    structlog.reset_defaults()


def configured(style: str, level: str = "debug") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(style, level, stream)
    return stream


def test_json_lines_have_room_level_time_and_ids(root: None) -> None:
    stream = configured("json")
    with logs.traced("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"):
        logs.logger("bus").info("turn failed", agent="echo@local", fuel=3)
    logs.logger("bus").info("after")
    first, second = map(json.loads, stream.getvalue().splitlines())
    at = first.pop("at")
    assert at.endswith("Z")
    assert first == {
        "event": "turn failed",
        "level": "info",
        "logger": "caxton.bus",
        "agent": "echo@local",
        "fuel": 3,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    }
    assert "trace_id" not in second


def test_text_is_readable(root: None) -> None:
    stream = configured("text")
    logs.logger("cells").warning("cell died", cell=2, reason="out of memory")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.split("Z ", 1)[1].split() == [
        "warning", "cells", "cell", "died", "cell=2", 'reason="out', "of", 'memory"',
    ]  # fmt: skip


@pytest.mark.parametrize("style", ["json", "text"])
def test_other_packages_take_the_same_way(root: None, style: str) -> None:
    stream = configured(style)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received from %s", "\x1b[2Jthere")
    (line,) = stream.getvalue().splitlines()
    assert "uvicorn.error" in line
    assert "\x1b" not in line
    if style == "json":
        assert json.loads(line)["level"] == "warning"


@pytest.mark.parametrize("style", ["json", "text"])
def test_levels_and_tracebacks(root: None, style: str) -> None:
    stream = configured(style, "warning")
    logs.logger("api").info("not kept")
    logging.getLogger("other").info("not kept")
    try:
        raise ValueError("with a \x07 bell")
    except ValueError:
        logs.logger("api").exception("went wrong")
    text = stream.getvalue()
    assert "not kept" not in text
    assert "ValueError" in text
    assert "\x07" not in text
    if style == "text":
        head, *rest = text.splitlines()
        assert "went wrong" in head
        assert all(line.startswith("    ") for line in rest)
    else:
        assert "Traceback" in json.loads(text)["exception"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.text(), value=st.one_of(st.text(st.characters()), st.binary(), st.lists(st.text())))
@pytest.mark.parametrize("style", ["json", "text"])
def test_nothing_that_is_said_breaks_the_line(root: None, style: str, event: str, value: object) -> None:
    stream = configured(style)
    logs.logger("bus").info(event, said=value)
    text = stream.getvalue()
    assert len(text.splitlines()) == 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text[:-1])
    if style == "json":
        assert json.loads(text)["level"] == "info"


@given(st.text(min_size=logs.LONGEST_VALUE + 1, max_size=logs.LONGEST_VALUE + 50))
def test_very_long_values_are_cut_and_say_so(text: str) -> None:
    assert str(len(text)) in logs.harmless(text)
    assert len(logs.harmless("x" * 10**6)) < logs.LONGEST_VALUE + 100
