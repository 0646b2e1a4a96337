"""The checks of `caxton doctor`.

Each looks at one thing and answers with a `Finding`; none of them changes anything but a small file in the project's
folder (to time the disk), which is removed again.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket as sockets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from caxton.cli.daemon_process import environment
from caxton.cli.output.printing import plural, size, span
from caxton.client import Client
from caxton.daemon_socket import LONGEST_PATH, answers, socket_path
from caxton.devloop.builders.toolchains import FOR_DOCTOR, Found, Toolchain
from caxton.errors import CaxtonError
from caxton.install_hint import install_hint
from caxton.sandbox.frames import RESULT, Hello

CELL_S = 30.0
"""How long a cell may take to start, in seconds."""

EXTRAS = {
    "mcp": ("mcp", "tools, caxton mcp, and MCP over HTTP"),
    "a2a": ("a2a", "agents of other systems by A2A, both ways"),
}
"""Packages that serve other protocols, by the extra that brings them: what is imported, and what for."""

AFRESH = "install Caxton again in a fresh environment"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `state` is ok, warn or bad; `remedy` is what to do unless all is well."""

    state: str
    found: str
    remedy: str | None = None


def checks(folder: Path) -> Iterator[tuple[str, Callable[[], Finding]]]:
    """Every check by its name, in the order in which they are printed; `folder` is the project's or the working one."""
    yield "python", lambda: python(sys.version_info[:3], sys.maxsize > 2**32)
    yield "wasmtime", wasmtime
    yield "socket", lambda: socket(folder)
    yield "held", lambda: held(folder)
    yield "disk space", lambda: space(shutil.disk_usage(folder).free)
    yield "disk speed", lambda: disk(folder)
    yield "open files", open_files
    yield "memory areas", lambda: kernel(Path("/proc/sys/vm"))
    for extra, (package, what) in EXTRAS.items():
        yield extra, partial(installed, package, extra, what)
    for one in FOR_DOCTOR:
        yield one.name, partial(toolchain, one, folder)


def python(version: tuple[int, ...], wide: bool) -> Finding:
    """Python 3.11 or later, 64 bits."""
    text = ".".join(map(str, version))
    if version < (3, 11):
        return Finding("bad", text, "Caxton needs Python 3.11 or later")
    if not wide:
        return Finding("bad", f"{text}, 32 bits", "Caxton needs a 64-bit Python")
    return Finding("ok", f"{text} at {sys.executable}")


def wasmtime() -> Finding:
    """Can a cell run guests, and does it call them the fast way? A real cell is started, and says so itself."""
    ours, theirs = sockets.socketpair()
    ours.settimeout(CELL_S)
    words = [sys.executable, "-P", "-m", "caxton.sandbox.cell", "--fd", str(theirs.fileno())]
    process = subprocess.Popen(
        words,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    theirs.close()
    try:
        with ours:
            said = _first_frame(ours)
        _, stderr = process.communicate(timeout=CELL_S)
    except (TimeoutError, subprocess.TimeoutExpired):
        process.kill()
        process.communicate()
        return Finding("bad", f"a cell says nothing for {CELL_S:g} s", AFRESH)
    return judge_cell(said, process.returncode, stderr)


def _first_frame(stream: sockets.socket) -> bytes:
    """The payload of a cell's first frame; short where it ended before that."""
    got = b""
    wanted = RESULT.size
    while len(got) < wanted:
        try:
            more = stream.recv(wanted - len(got))
        except ConnectionResetError:
            break
        if not more:
            break
        got += more
        if len(got) == RESULT.size:
            wanted += RESULT.unpack(got)[4]
    return got[RESULT.size :]


def judge_cell(hello: bytes, code: int, stderr: bytes) -> Finding:
    """What a cell says first (`frames.Hello`), as a finding."""
    try:
        said = msgspec.json.decode(hello, type=Hello)
    except msgspec.MsgspecError:
        lines = stderr.decode("utf-8", "replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        return Finding("bad", f"a cell cannot start (exit code {code}): {last}", AFRESH)
    found = f"{said.wasmtime} (library {said.native}), {'fast' if said.fast else 'public'} calls: {said.fast_reason}"
    if not said.fast:
        return Finding("warn", found, "all works, but turns cost several times as much")
    return Finding("ok", found)


def socket(folder: Path) -> Finding:
    """Can the daemon's socket stand where it belongs, and who may reach it?"""
    state = folder / ".caxton"
    path = socket_path(state)
    if state.exists() and state.stat().st_mode & 0o077:
        return Finding("bad", f"{state} is open to other users", f"chmod 700 {state}")
    if len(os.fsencode(path)) > LONGEST_PATH:
        return Finding(
            "bad", f"its path is too long: {path}", "set XDG_RUNTIME_DIR to a short folder of yours"
        )
    if not os.access(folder, os.W_OK):
        return Finding("bad", f"{folder} cannot be written", "a project's folder must be yours")
    return Finding("ok", f"{path}, {'a daemon answers' if answers(path) else 'no daemon answers'}")


def held(folder: Path) -> Finding:
    """Are there break points that somebody may have forgotten?"""
    path = socket_path(folder / ".caxton")
    if not answers(path):
        return Finding("ok", "no daemon answers")
    try:
        with Client(path, timeout=2.0) as caxton:
            totals = caxton.status().held
    except CaxtonError as error:
        return Finding("warn", f"the daemon does not say: {error.message}", error.hint)
    text = f"{plural(totals.messages, 'message')} held, {plural(totals.break_points, 'break point')}"
    if totals.messages or totals.break_points:
        return Finding("warn", text, "see: caxton break held, caxton break list")
    return Finding("ok", text)


def space(free: int) -> Finding:
    """Is there room for the journal?"""
    if free < 100 * 1024**2:
        return Finding("bad", f"{size(free)} free", "free some: the journal stops when the disk is full")
    if free < 2 * 1024**3:
        return Finding("warn", f"{size(free)} free", "the journal may grow to journal.keep_mib (4 GiB)")
    return Finding("ok", f"{size(free)} free")


def disk(folder: Path) -> Finding:
    """How long the disk takes to make 4 KiB durable: what an acknowledgement waits for."""
    state = folder / ".caxton"
    times: list[float] = []
    try:
        with tempfile.NamedTemporaryFile(dir=state if state.is_dir() else folder, prefix=".fsync-") as file:
            for _ in range(20):
                file.write(b"\0" * 4096)
                file.flush()
                begun = time.perf_counter()
                os.fsync(file.fileno())
                times.append(time.perf_counter() - begun)
    except OSError as error:
        return Finding("bad", f"{folder} cannot be written: {error.strerror}", "use a folder of yours")
    return judge_disk(sorted(times)[len(times) // 2], max(times))


def judge_disk(median_s: float, worst_s: float) -> Finding:
    """Those times, as a finding."""
    found = f"fsync of 4 KiB takes {span(median_s)}, at worst {span(worst_s)}"
    if median_s > 0.05:
        return Finding("warn", found, "every acknowledgement waits that long: use a local SSD")
    return Finding("ok", found)


def open_files() -> Finding:
    """May the daemon open enough files for its viewers and cells?"""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < 256:
        return Finding("bad", f"{soft} allowed", "ulimit -n 1024")
    if soft != resource.RLIM_INFINITY and soft < 1024:
        return Finding("warn", f"{soft} allowed", "ulimit -n 1024, for many viewers at once")
    return Finding("ok", f"{soft:,} allowed" if soft != resource.RLIM_INFINITY else "no limit")


def kernel(settings: Path) -> Finding:
    """Does the kernel allow as many memory areas as thousands of sandboxes need? Only Linux has a bound."""
    try:
        areas = int((settings / "max_map_count").read_text("ascii"))
        commit = int((settings / "overcommit_memory").read_text("ascii"))
    except (OSError, ValueError):
        return Finding("ok", "this system sets no bound")
    found = f"vm.max_map_count {areas:,}, vm.overcommit_memory {commit}"
    if commit == 2:
        return Finding("warn", found, "few agents fit: sysctl vm.overcommit_memory=0")
    if areas < 65_530:
        return Finding("warn", found, "for 10,000 agents: sysctl vm.max_map_count=262144")
    return Finding("ok", found)


def installed(package: str, extra: str, what: str) -> Finding:
    """Is a package there that an extra brings?"""
    if find_spec(package) is not None:
        return Finding("ok", f"the package is here, for {what}")
    return Finding("warn", f"the package is not here; only needed for {what}", install_hint(extra))


def toolchain(wanted: Toolchain, folder: Path) -> Finding:
    """Can agents in that language be built here? That they cannot is never bad: agents that are built run without."""
    found = wanted.look(folder)
    if isinstance(found, Found):
        return Finding("ok", f"{found.shown}, for agents in {wanted.languages}")
    what = f"{found.what} is not here; only needed to build agents in {wanted.languages}"
    return Finding("warn", what, found.remedy)
