"""The project's Unix socket: where it is, who may connect, and that a live one is never replaced.

In: the project's state folder. Out: a listening socket, mode 0600 in a 0700 folder from its first instant,
and the files beside it by which a client finds it. A socket file that nobody answers on is a leftover and is
removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from caxton.disk import translated
from caxton.errors import ConfigurationError, InvalidState, SecurityError

STATE_FOLDER = ".caxton"
"""The folder beside `caxton.toml` with the daemon's journal, socket and log."""

SOCKET = "daemon.sock"
REDIRECT = "daemon.socket-path"
LOCK = "daemon.lock"
ABOUT = "daemon.json"

LONGEST_PATH = 100
"""Bytes of a socket's path that every system takes (sun_path is 104 on macOS, 108 on Linux)."""


class About(msgspec.Struct, frozen=True):
    """What `daemon.json` says of the daemon that holds the lock; times in microseconds since 1970."""

    pid: int
    version: str
    started_us: int


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and the path that it is bound to."""

    socket: socket.socket
    path: Path

    def close(self) -> None:
        """Stop listening and take the file away, unless another socket stands there by now."""
        self.socket.close()
        if not answers(self.path):
            with contextlib.suppress(OSError):
                os.unlink(self.path)


def socket_path(state: Path) -> Path:
    """Where the daemon of this state folder listens, or would; makes nothing."""
    usual = state / SOCKET
    if len(os.fsencode(usual)) <= LONGEST_PATH:
        return usual
    with contextlib.suppress(OSError):
        written = Path((state / REDIRECT).read_text("utf-8").strip())
        if written.is_absolute():
            return written
    return _short_folder() / f"{hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:24]}.sock"


def private_folder(folder: Path) -> Path:
    """That folder, made 0700 where it is missing; SecurityError where it is another's or open to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = os.lstat(folder)
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
        raise SecurityError(f"{folder} is not a folder of yours", hint="remove it and start again")
    if seen.st_mode & 0o077:
        os.chmod(folder, 0o700)
    return folder


@contextlib.contextmanager
def claim(state: Path, about: About) -> Generator[None]:
    """Hold this project for one daemon, InvalidState where another does. `about` stands in daemon.json."""
    with translated(state):
        private_folder(state)
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(descriptor):
            other = read_about(state)
            who = f" (process {other.pid})" if other else ""
            raise InvalidState(
                f"a daemon already runs for {state.parent}{who}", hint="stop it with: caxton down"
            )
        with translated(state):
            _write(state / ABOUT, msgspec.json.encode(about))
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(state / ABOUT)
    finally:
        os.close(descriptor)


def read_about(state: Path) -> About | None:
    """What the daemon of this state folder wrote of itself, or None."""
    try:
        return msgspec.json.decode((state / ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.DecodeError):
        return None


def is_held(state: Path) -> bool:
    """Whether a daemon holds this state folder now (it may not answer yet, or no longer)."""
    try:
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def listen(state: Path) -> Listener:
    """Bind and listen. InvalidState where a live socket stands there; what is no socket is left alone."""
    private_folder(state)
    path = socket_path(state)
    if path.parent != state:
        private_folder(path.parent)
        _write(state / REDIRECT, os.fsencode(path))
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ConfigurationError(f"the path of the socket is too long: {path}", hint="set XDG_RUNTIME_DIR")
    _remove_leftover(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # between bind and chmod another user could connect, so the mask has to be in force at the bind itself
    before = os.umask(0o177)
    try:
        listening.bind(os.fspath(path))
    except OSError as error:
        listening.close()
        raise InvalidState(f"the socket {path} cannot be bound: {error.strerror}") from error
    finally:
        os.umask(before)
    listening.listen(128)
    listening.setblocking(False)
    return Listener(listening, path)


def answers(path: Path) -> bool:
    """Whether something accepts connections there."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(2)
    try:
        probe.connect(os.fspath(path))
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        # neither refused nor missing (a full backlog, a timeout): something lives there
        return True
    finally:
        probe.close()
    return True


class HasOptions(Protocol):
    """A socket, or what an event loop shows of one."""

    def getsockopt(self, level: int, option: int, buflen: int, /) -> bytes:
        """The option's bytes."""
        ...


def peer_uid(connection: HasOptions) -> int | None:
    """The user at the other end of a Unix socket; None where the system does not say (not Linux)."""
    if sys.platform != "linux":
        return None
    _, uid, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def _lock(descriptor: int) -> bool:
    """Take the lock. Who only looks (`is_held`) has it for a moment too, so one refusal is not the answer."""
    for _ in range(100):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.sched_yield()
        else:
            return True
    return False


def _remove_leftover(path: Path) -> None:
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(seen.st_mode):
        raise InvalidState(f"{path} is in the way and is not a socket", hint="move it away and start again")
    if answers(path):
        raise InvalidState(f"something already listens on {path}", hint="stop it with: caxton down")
    os.unlink(path)


def _short_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime) and len(os.fsencode(runtime)) < 50:
        return Path(runtime) / "caxton"
    return Path(tempfile.gettempdir()) / f"caxton-{os.geteuid()}"


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(fresh, path)
