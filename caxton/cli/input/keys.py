"""Keys that are pressed while lines are shown: one at a time, without Enter.

In: the terminal on stdin. Out: each key, as it comes. Ctrl-C stays a signal, and the terminal is as it was at the end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def keys(pressed: Callable[[str], None]) -> Generator[None]:
    """Tell `pressed` of every key, in the running loop; stdin must be a terminal."""
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        data = os.read(terminal, 64)
        if not data:
            loop.remove_reader(terminal)
        for key in data.decode("utf-8", "replace"):
            pressed(key)

    tty.setcbreak(terminal, termios.TCSANOW)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSANOW, before)
