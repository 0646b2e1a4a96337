"""A terminal that vanishes: it is noticed, and what is written to it is dropped instead of failing."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from caxton_tui.terminal import HangupTolerantStream, discard_output, gone, surviving_hangup

pytestmark = pytest.mark.system


def test_what_is_written_to_a_terminal_that_is_gone_is_dropped() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as under:
        stream = HangupTolerantStream(under)
        assert stream.isatty()
        assert not gone(stream.fileno())
        assert stream.write("seen") == 4
        stream.flush()
        assert os.read(master, 10) == b"seen"
        os.close(master)
        assert gone(stream.fileno())
        assert stream.write("x" * 100_000) == 100_000
        stream.flush()
        # what is still buffered is dropped, too, when the file is closed
        discard_output(stream.fileno())
        assert not gone(stream.fileno())


def test_other_errors_are_told() -> None:
    class Full(io.StringIO):
        def write(self, text: str, /) -> int:
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        HangupTolerantStream(Full()).write("x")


def test_it_stands_before_what_textual_writes_to_and_goes_again() -> None:
    before = sys.__stderr__
    with surviving_hangup():
        assert isinstance(sys.__stderr__, HangupTolerantStream)
    assert sys.__stderr__ is before


def test_a_process_that_has_something_left_to_write_ends_as_it_wants_to() -> None:
    master, slave = pty.openpty()
    code = """
import contextlib, sys
from caxton_tui.terminal import discard_output, surviving_hangup
with surviving_hangup(), contextlib.suppress(OSError):
    sys.stdout.write("x")
    print(flush=True, file=sys.stderr)
    sys.stdin.read()
sys.exit(7)
"""
    known = {**os.environ, "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, env=known
    ) as one:
        os.close(slave)
        assert os.read(master, 10)
        os.close(master)
        assert one.wait(30) == 7
