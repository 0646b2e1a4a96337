"""A daemon as a process of its own: started detached, waited for until it is ready, and until it has ended.

Whether one runs is read from the lock that it holds on the project, not from a process number, which may by
now belong to somebody else.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from caxton.cli.connection import STATE, client
from caxton.daemon_socket import is_held, read_about
from caxton.errors import CaxtonError, ConfigurationError, TimedOut, Unreachable

if TYPE_CHECKING:
    from caxton.client import Client

LOG = "daemon.log"
LOG_NEEDS = 64 * 1024
"""With less room than this the log may lack the daemon's last words."""
POLL_S = 0.03
PATIENT_POLL_S = 0.1
"""Between two looks at a daemon that takes its time; each costs it and this process two milliseconds."""


class Started(Protocol):
    """A process that was started here."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        ...


class DidNotStart(CaxtonError):
    """Raised when the daemon ended before it was ready."""

    code = "daemon_did_not_start"


def command(folder: Path) -> list[str]:
    """The command line of a project's daemon; with `-P` no file of the project stands in for a module."""
    return [sys.executable, "-P", "-m", "caxton.daemon", "--project", str(folder)]


def environment() -> dict[str, str]:
    """The environment of a child of ours: in a checkout that is not installed it is told where we are."""
    root = Path(__file__).resolve().parents[2]
    known = dict(os.environ)
    if (root / "pyproject.toml").is_file():
        known["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), known.get("PYTHONPATH")]))
    return known


def launch(folder: Path, *, await_builds: bool = False, nice: int | None = None) -> subprocess.Popen[bytes]:
    """Start the daemon in a session of its own, its output appended to `.caxton/daemon.log`.

    With `await_builds` it offers agents nothing that stands at their `wasm`: the caller brings it. `nice` is how far
    it gives way to terminals, where that is not what the project says.
    """
    state = folder / STATE
    try:
        state.mkdir(mode=0o700, exist_ok=True)
        log = os.open(state / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{state} cannot be written: {error.strerror}", hint="a project's folder must be yours"
        ) from error
    try:
        return subprocess.Popen(
            [*command(folder), *(["--await-builds"] if await_builds else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment() | ({} if nice is None else {"CAXTON_NICE": str(nice)}),
            start_new_session=True,
        )
    finally:
        os.close(log)


def wait_ready(folder: Path, process: Started, timeout_s: float, progress: Callable[[str], None]) -> None:
    """Return when the daemon says that it is ready.

    `progress` gets what it still waits for, each time that changes. Raises DidNotStart with what its log
    says last when it ends first, TimedOut after `timeout_s` seconds (it goes on starting).
    """
    log = folder / STATE / LOG
    began = time.monotonic()
    said = ""
    with client(folder, timeout_s=5.0) as caxton:
        while True:
            ended = process.poll()
            if ended is not None:
                raise _did_not_start(log, ended)
            why = _waits_for(caxton)
            if why is None:
                return
            if why != said:
                progress(why)
                said = why
            waited = time.monotonic() - began
            if waited > timeout_s:
                raise TimedOut(
                    f"the daemon is not ready after {timeout_s:g} s: {why}",
                    hint=f"it goes on starting; look at `caxton status` and at {log}",
                )
            time.sleep(POLL_S if waited < 1.0 else PATIENT_POLL_S)


def end(folder: Path, process: subprocess.Popen[bytes], within_s: float) -> None:
    """Stop a daemon that was launched here; kill it where it has not ended within `within_s` seconds."""
    if process.poll() is not None:
        return
    try:
        with client(folder, timeout_s=within_s) as caxton:
            caxton.stop_daemon()
        process.wait(within_s)
    except (CaxtonError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


def running(folder: Path) -> int | None:
    """The process number of the daemon that holds this project, or None."""
    state = folder / STATE
    about = read_about(state) if is_held(state) else None
    return about.pid if about else None


def wait_gone(folder: Path, timeout_s: float) -> bool:
    """Whether the project's daemon ended within `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while is_held(folder / STATE):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def kill(folder: Path) -> int | None:
    """Kill the daemon that holds this project, if one does; its process number."""
    pid = running(folder)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return pid


def _waits_for(caxton: Client) -> str | None:
    """What the daemon still waits for, in words; None when it is ready."""
    try:
        answer = caxton.ready()
    except Unreachable:
        return "the daemon to answer"
    return None if answer.ready else ", ".join(answer.why) or "the daemon to be ready"


def _did_not_start(log: Path, code: int) -> CaxtonError:
    room = shutil.disk_usage(log.parent).free
    if room < LOG_NEEDS:
        return DidNotStart(
            f"the daemon ended before it was ready (exit code {code}): the disk of {log.parent} is full "
            f"({room // 1024} KiB left)",
            hint="free space on it, then: caxton up; nothing that was acknowledged is lost",
        )
    text = log.read_bytes()[-16 * 1024 :].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [n for n, line in enumerate(lines) if line.startswith("error:")]
    last = lines[errors[-1]].removeprefix("error:").strip() if errors else lines[-1] if lines else "no word"
    after = lines[errors[-1] + 1] if errors and errors[-1] + 1 < len(lines) else ""
    hint = after.removeprefix("hint:").strip() if after.startswith("hint:") else f"its log is {log}"
    return DidNotStart(f"the daemon ended before it was ready (exit code {code}): {last}", hint=hint)
