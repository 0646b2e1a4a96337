"""A session of development: the loop of `caxton dev`, the daemon under it, and how both are shown.

In: a folder and what was asked for. Out: lines, JSON or the terminal interface, until a signal or a key ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from caxton.cli import connection, daemon_process
from caxton.cli.input.keys import keys
from caxton.cli.lazy import lazy
from caxton.cli.output.dev_lines import Lines
from caxton.cli.output.dev_messages import follow
from caxton.cli.output.printing import colour_wanted, say, talk
from caxton.cli.output.progress_line import ProgressLine
from caxton.cli.output.slow_builds import SlowBuilds
from caxton.daemon_socket import is_held
from caxton.devloop import DevLoop, Event, GateOptions, ensure_project
from caxton.devloop.events import BuildStarted, DaemonUp, Preparing
from caxton.errors import TimedOut, Unreachable
from caxton.schemas.shape import iso, plain

if TYPE_CHECKING:
    import caxton_tui
else:
    (caxton_tui,) = lazy("caxton_tui")

_STEPS = {"a": "promote", "l": "ask-live", "x": "abort"}
"""What a key does with a build that waits."""
KEYS = "a accept, d difference, x drop"
START_S = 60.0
STOP_S = 15.0

Sink = Callable[[Event], None]


def run(
    given: Path | None,
    ui: str,
    *,
    gate: tuple[str, int, float],
    strategy: str,
    fresh_state: bool,
    debounce_ms: int,
    verbose: bool,
    messages: bool,
) -> None:
    """Develop in that folder until a signal ends it; without one in the nearest project, else in the working folder."""
    folder = _place_of(given)
    implied = ensure_project(folder)
    daemon = _Daemon(folder)

    def loop(sink: Sink) -> DevLoop:
        return DevLoop(
            folder,
            sink,
            lambda: asyncio.to_thread(daemon.bring_up),
            implied=implied,
            strategy=strategy,
            fresh_state=fresh_state,
            gate=GateOptions(*gate),
            debounce_ms=debounce_ms,
        )

    try:
        if ui == "tui":
            asyncio.run(_in_viewer(folder, loop, verbose))
        else:
            asyncio.run(_in_lines(folder, loop, ui, verbose, messages))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        daemon.end()


def has_viewer() -> bool:
    """Whether the terminal interface is installed."""
    return find_spec("caxton_tui") is not None


def _place_of(given: Path | None) -> Path:
    if given is not None:
        return given.resolve()
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if connection.configured(one)), here)


class _Daemon:
    """The project's daemon: found running, or started and then stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        """Stop it, where it was started here."""
        if self._ours is not None:
            daemon_process.end(self._folder, self._ours, STOP_S)

    def bring_up(self) -> bool:
        """Return when the daemon is ready; whether it was started for that."""
        until = time.monotonic() + START_S
        # a daemon that starts or stops holds the project and does not answer
        while is_held(self._folder / connection.STATE):
            try:
                with connection.client(self._folder) as caxton:
                    if caxton.ready().ready:
                        return False
            except Unreachable:
                pass
            if time.monotonic() > until:
                raise TimedOut("the project's daemon is not ready", hint="look at: caxton status")
            time.sleep(daemon_process.POLL_S)
        # every build passes by the gate, also one that was made while no daemon ran
        self._ours = daemon_process.launch(self._folder, await_builds=True)
        daemon_process.wait_ready(self._folder, self._ours, START_S, lambda why: None)
        return True


async def _in_lines(
    folder: Path, make: Callable[[Sink], DevLoop], ui: str, verbose: bool, messages: bool
) -> None:
    """Until Ctrl-C, SIGTERM or SIGHUP, which end it well; with `messages`, what the agents say as well."""
    up = asyncio.Event()
    by_key = ui == "stream" and sys.stdin.isatty()
    colour = colour_wanted(sys.stderr if ui == "off" else sys.stdout)
    lines = Lines(colour=colour, verbose=verbose, keys=KEYS if by_key else "")
    bar = ProgressLine()

    def goes_on(event: BuildStarted, seconds: int) -> None:
        if ui == "stream":
            bar.clear()
            say(lines.goes_on(event, seconds))

    slow = SlowBuilds(goes_on)

    def show(event: Event) -> None:
        slow.hear(event)
        if ui == "json":
            say(as_json(event))
        else:
            bar.clear()
            for line in lines.of(event):
                if ui == "stream":
                    say(line)
                elif event.failure:
                    talk(line)
            if isinstance(event, Preparing) and not event.begins:
                bar.show(event.what, event.part)
        if isinstance(event, DaemonUp):
            up.set()

    loop = make(show)
    async with asyncio.TaskGroup() as group:

        def pressed(key: str) -> None:
            if not loop.held:
                return
            agent, held = list(loop.held.items())[-1]
            if key == "d":
                for line in lines.differences(held):
                    say(line)
            elif key in _STEPS:
                group.create_task(loop.decide(agent, _STEPS[key]))

        task = group.create_task(loop.run())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        if messages and ui != "off":
            said = group.create_task(follow(folder, up, as_json=ui == "json"))
            task.add_done_callback(lambda _: said.cancel())
        with keys(pressed) if by_key else nullcontext():
            await asyncio.wait([task])


async def _in_viewer(folder: Path, make: Callable[[Sink], DevLoop], verbose: bool) -> None:
    """In the terminal interface: the loop's lines get a strip there. Leaving it ends the loop."""
    settings = caxton_tui.user_settings()
    lines = Lines(colour=False, verbose=verbose, ends="q", keys=f"on screen 4: {KEYS}")
    said: asyncio.Queue[str] = asyncio.Queue()
    slow = SlowBuilds(lambda event, seconds: said.put_nowait(lines.goes_on(event, seconds)))
    fifths = 0

    def show(event: Event) -> None:
        nonlocal fifths
        slow.hear(event)
        for line in lines.of(event):
            said.put_nowait(line)
        # the strip has no bar: a line for every fifth
        if isinstance(event, Preparing) and not event.begins and int(event.part * 5) > fifths:
            fifths = int(event.part * 5)
            said.put_nowait(lines.prepares(event))

    async def strip() -> AsyncGenerator[str]:
        while True:
            yield await said.get()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(make(show).run())
        viewer = group.create_task(caxton_tui.attach(folder, dev=strip(), settings=settings))
        viewer.add_done_callback(lambda _: task.cancel())
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, viewer.cancel)


def as_json(event: Event) -> str:
    """One event as one line of JSON; `at` is ISO."""
    body: dict[str, Any] = msgspec.to_builtins(event)
    gate = getattr(event, "gate", None)
    if gate is not None:
        body["gate"] = plain(gate)
    return json.dumps({"event": body.pop("event"), "at": iso(body.pop("at_us")), **body})


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of several tasks. A reader of our lines that has gone away is not an error."""
    first = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _first(first)  # pyright: ignore[reportUnknownArgumentType] - its arguments cannot be told at run time
    if isinstance(first, BrokenPipeError):
        # nothing more can be said there, not even at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return typer.Exit()
    return first
