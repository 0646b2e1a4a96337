"""A terminal that vanishes: it is noticed, and what is written to it is dropped instead of failing."""

from __future__ import annotations

import io
import os
import pty
import sys

import pytest

from caxton_tui.terminal import Outlasting, gone, outlasting


def test_what_is_written_to_a_terminal_that_is_gone_is_dropped() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as under:
        stream = Outlasting(under)
        assert stream.isatty()
        assert not gone(stream.fileno())
        assert stream.write("seen") == 4
        stream.flush()
        assert os.read(master, 10) == b"seen"
        os.close(master)
        assert gone(stream.fileno())
        assert stream.write("x" * 100_000) == 100_000
        stream.flush()
        # what was buffered has nowhere to go either
        os.dup2(os.open(os.devnull, os.O_WRONLY), under.fileno())


def test_other_errors_are_told() -> None:
    class Full(io.StringIO):
        def write(self, text: str, /) -> int:
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        Outlasting(Full()).write("x")


def test_it_stands_before_what_textual_writes_to_and_goes_again() -> None:
    before = sys.__stderr__
    with outlasting():
        assert isinstance(sys.__stderr__, Outlasting)
    assert sys.__stderr__ is before
