"""The process that others are forked from: it loads their code, forks, and tells how each one ended.

In: requests on a socket, one at a time, with the descriptors of the process that is to be. Out: its number, or 0 where
there is no room for it; on the first descriptor its exit code, once it has ended. It has one thread and runs nothing
itself, so what it forks is as good as freshly loaded.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import msgspec

Program = Callable[[Sequence[str]], object]

READY: Final = b"ready"
FAILED: Final = 1
MOST_BYTES: Final = 1 << 20
MOST_DESCRIPTORS: Final = 8


class Fork(msgspec.Struct, frozen=True):
    """What to run. The first descriptor that comes with it is for the exit code; without `streams` the others are
    `{0}`, `{1}` … in its arguments, with `streams` they become its standard streams.
    """

    program: str
    arguments: list[str]
    streams: bool = False
    session: bool = False
    """In a session of its own."""


@dataclass(slots=True)
class _Child:
    """One that was forked, until it has ended and somebody took that in."""

    end: socket.socket | None
    """Where its exit code is told; None once the other side has it or asks no more."""
    over: bool = False


def serve(stream: socket.socket, programs: Mapping[str, Program]) -> None:
    """Fork for whoever asks, until the socket closes."""
    woken, wake = os.pipe()
    for pipe in (woken, wake):
        os.set_blocking(pipe, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    children: dict[int, _Child] = {}
    # what is loaded stays as it is, in memory that all share
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ConnectionError):
        stream.sendall(READY + b"\n")
    while True:
        ends = [child.end.fileno() for child in children.values() if child.end is not None]
        ready, _, _ = select.select([stream.fileno(), woken, *ends], [], [])
        if woken in ready:
            os.read(woken, MOST_BYTES)
        for child in children.values():
            if child.end is not None and child.end.fileno() in ready:
                child.end.close()
                child.end = None
        for pid in list(children):
            _look_after(pid, children)
        if stream.fileno() in ready:
            request, descriptors = _asked(stream)
            if not request:
                _end_all(children)
                return
            end, *theirs = descriptors
            forked = _fork()
            if forked == 0:
                signal.set_wakeup_fd(-1)
                left = [child.end.fileno() for child in children.values() if child.end is not None]
                _close(woken, wake, end, stream.fileno(), *left)
                _become(programs, msgspec.json.decode(request, type=Fork), theirs)
            _close(*theirs)
            if forked is None:
                os.close(end)
            else:
                children[forked] = _Child(socket.socket(fileno=end))
            # where nobody reads it any more, the next request is the end of all requests
            with contextlib.suppress(ConnectionError):
                stream.sendall(b"%d\n" % (forked or 0))


def _look_after(pid: int, children: dict[int, _Child]) -> None:
    """Tell how a process ended, and let its number go once that was taken."""
    child = children[pid]
    if not child.over:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        child.over = True
        if child.end is not None:
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            with contextlib.suppress(ConnectionError):
                child.end.sendall(b"%d" % code)
    if child.end is None:
        os.waitpid(pid, 0)
        del children[pid]


def _end_all(children: dict[int, _Child]) -> None:
    """Leave no process behind: nobody is there any more who would end it."""
    for pid, child in children.items():
        if not child.over:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _asked(stream: socket.socket) -> tuple[bytes, list[int]]:
    """The next request and its descriptors; empty at the end of all requests."""
    try:
        text, descriptors, _, _ = socket.recv_fds(stream, MOST_BYTES, MOST_DESCRIPTORS)
    except ConnectionResetError:
        return b"", []
    while text and not text.endswith(b"\n"):
        more = stream.recv(MOST_BYTES)
        text = text + more if more else b""
    return text, descriptors


def _fork() -> int | None:
    """As `os.fork`; None where the machine has no room for a process."""
    try:
        return os.fork()
    except OSError:
        return None


def _close(*descriptors: int) -> None:
    for one in descriptors:
        os.close(one)


def _become(programs: Mapping[str, Program], wish: Fork, descriptors: list[int]) -> NoReturn:
    """Be the program, in the process that was forked."""
    code = FAILED
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if wish.session:
            os.setsid()
        if wish.streams:
            for standard, one in enumerate(descriptors):
                os.dup2(one, standard)
                os.close(one)
        words = wish.arguments if wish.streams else [one.format(*descriptors) for one in wish.arguments]
        programs[wish.program](words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else FAILED
    except ConnectionError:
        pass  # who asked for it is gone, and so is whom it could tell
    except BaseException:  # noqa: BLE001 - the interpreter would say it and end, too
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
