"""What the terminal interface costs, and how soon it answers: `just bench-tui`.

In: nothing. Out: figures of this machine. Three processes, as in life: a daemon at full speed, the app on a real
terminal (a pty of 120×40) that looks at its own event loop, and this one, which types and reads the terminal.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median

import uvloop

from caxton.api.server import Server
from caxton.api.services import Services
from caxton.bench.measured_system import populate, say
from caxton.config import load
from caxton.daemon import give_way
from caxton.daemon_socket import listen
from caxton.runtime import open_runtime
from caxton.telemetry.logs import configure
from caxton_tui import CaxtonApp, rare_collections

PAIRS = 1_000
SECONDS = 4.0
ROUNDS = 12
"""So often the daemon is watched and alone in turn: it drifts, so each is compared with what stands beside it."""
KEYS = 200
LOOK_S = 0.005
START = 200
"""Looks at the event loop that belong to the app's start."""
SCREENS = (
    (b"1", b"CONVERSATION"),
    (b"2", b"Overview"),
    (b"3", b"WAITED"),
    (b"4", b"Deployments"),
    (b"6", b"percentiles"),
    (b"5", b"events"),
)
"""Each screen's key, and what only it says."""


async def daemon(folder: Path, agents: int, busy: bool) -> None:
    """A daemon with relays, busy or not; a line on stdin is answered with the turns so far."""
    project = load(folder, environ={})
    async with open_runtime(project, snapshots=False) as runtime:
        names = await populate(runtime, "relay", agents, lambda what, part: None)
        services = Services.of(runtime, stop=lambda: None, started_us=runtime.clock.now_us())
        server = Server(services, listen(project.state))
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run())
            for number, name in enumerate(names if busy else []):
                say(
                    runtime, names[(number * 7 + 1) % agents], name, {"n": 0, "task": "x" * 60}, f"c-{number}"
                )
            runtime.bus.settle()
            lines = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
            )
            _answer("ready")
            while await lines.readline():
                _answer(str(runtime.bus.counts.turns))
            server.stop()


async def app(folder: Path) -> None:
    """The app, and how late its event loop is; at the end that on file descriptor 3."""
    shown = CaxtonApp(folder)
    late: list[float] = []
    own: list[float] = []
    # what comes before is the app's start
    started, start_s = 0.0, 0.0

    async def look() -> None:
        nonlocal started, start_s
        while True:
            before, used = time.perf_counter(), time.process_time()
            if len(late) == START:
                started, start_s = before, used
            await asyncio.sleep(LOOK_S)
            late.append(time.perf_counter() - before - LOOK_S)
            own.append(time.process_time() - used)

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(look())
        with rare_collections():
            await shown.run_async()
        looking.cancel()
    used, passed = time.process_time() - start_s, time.perf_counter() - started
    late, own = sorted(late[START:]), sorted(own[START:])
    figures = {
        "loop_busy_p99_ms": 1e3 * own[int(len(own) * 0.99)],
        "loop_busy_max_ms": 1e3 * own[-1],
        "loop_late_p99_ms": 1e3 * late[int(len(late) * 0.99)],
        "loop_late_max_ms": 1e3 * late[-1],
        "cpu_percent": 100 * used / passed,
        "start_cpu_s": start_s,
        "rows": shown.store.entries.end,
        "left_out": shown.store.left_out,
    }
    os.write(3, json.dumps(figures).encode())


class Terminal:
    """The app on a pty."""

    def __init__(self, folder: Path) -> None:
        out, into = os.pipe()
        self._out = out
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.dup2(into, 3)
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, __file__, "app", str(folder)])
        os.close(into)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, seconds: float, until: bytes = b"") -> bool:
        """Take what the app writes, for so long or until it writes that."""
        end, seen = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    seen = seen[-200:] + os.read(self.master, 65536)
                except OSError:
                    # how Linux says that the other end of a pty is gone
                    return False
                if until and until in seen:
                    return True
        return False

    def key(self, key: bytes, answer: bytes) -> float:
        """Type, and wait for the answer; milliseconds."""
        began = time.perf_counter()
        os.write(self.master, key)
        assert self.read(10, answer), f"no answer to {key!r}"
        return 1e3 * (time.perf_counter() - began)

    def figures(self) -> dict[str, float]:
        """Leave the app; what it saw of itself."""
        os.write(self.master, b"q")
        self.read(1)
        os.waitpid(self.process, 0)
        found: dict[str, float] = json.loads(os.read(self._out, 65536))
        return found


@contextmanager
def running(folder: Path, agents: int, busy: bool) -> Generator[subprocess.Popen[str]]:
    """The daemon, ready."""
    words = [sys.executable, __file__, "daemon", str(folder), str(agents), "busy" if busy else "idle"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        while "ready" not in process.stdout.readline().split():
            assert process.poll() is None
        yield process
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


def turns(process: subprocess.Popen[str]) -> tuple[int, float]:
    """The daemon's turns so far, and when."""
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline()), time.perf_counter()


def rate(process: subprocess.Popen[str], wait: Callable[[float], object]) -> float:
    """The daemon's turns a second over the next `SECONDS`."""
    first = turns(process)
    wait(SECONDS)
    second = turns(process)
    return (second[0] - first[0]) / (second[1] - first[1])


def measure(agents: int, busy: bool) -> dict[str, float]:
    """One run: the rate without and with the app in turn, its loop, its keys."""
    with tempfile.TemporaryDirectory(prefix="cx") as name:
        folder = Path(name)
        # the relays hand on the same messages from the first second to the last
        (folder / "caxton.toml").write_text('name = "bench"\n[limits]\nhops = 1_000_000_000\n')
        with running(folder, agents, busy) as process:
            alone, watched, figures = [rate(process, time.sleep)], list[float](), dict[str, float]()
            for number in range(ROUNDS if busy else 1):
                terminal = Terminal(folder)
                assert terminal.read(20, b"live")
                # the log is the screen on which most happens
                terminal.key(b"5", b"events")
                terminal.read(2)
                # first nobody touches a key: what it costs to have it open
                watched.append(rate(process, terminal.read))
                if not number:
                    figures = typed(terminal)
                figures |= terminal.figures()
                alone.append(rate(process, time.sleep))
            costs = [
                100 * (1 - 2 * during / (before + after)) if busy else 0.0
                for before, during, after in zip(alone, watched, alone[1:], strict=False)
            ]
            return {
                "messages_s_alone": median(alone),
                "messages_s_watched": median(watched),
                "cost_percent": median(costs),
                "cost_mean": mean(costs),
                "cost_least": min(costs),
                "cost_most": max(costs),
                **figures,
            }


def typed(terminal: Terminal) -> dict[str, float]:
    """How soon keys are answered, each pressed when the one before was."""
    keys = sorted(terminal.key(b"f", b"following" if number % 2 else b"stopped") for number in range(KEYS))
    help_ms = terminal.key(b"?", b"esc closes")
    terminal.key(b"q", b"FROM")
    screens = {f"screen_{key.decode()}_ms": terminal.key(key, answer) for key, answer in SCREENS}
    return {
        "key_p50_ms": keys[len(keys) // 2],
        "key_p99_ms": keys[int(len(keys) * 0.99)],
        "key_max_ms": keys[-1],
        "help_ms": help_ms,
        **screens,
    }


def main(words: list[str]) -> None:
    """Run what the words say; without words, measure."""
    match words:
        case ["daemon", folder, agents, load_]:
            sys.setswitchinterval(0.0001)
            give_way(load(Path(folder), environ={}).config.nice)
            configure("text", "error", sys.stderr)
            uvloop.run(daemon(Path(folder), int(agents), load_ == "busy"))
        case ["app", folder]:
            asyncio.run(app(Path(folder)))
        case _:
            for title, agents, busy in (
                ("1,000 agents at full speed", PAIRS, True),
                ("10,000 agents, idle", 10 * PAIRS, False),
            ):
                _answer(title)
                for name, value in measure(agents, busy).items():
                    _answer(f"  {name:<20} {value:>12,.1f}")


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
