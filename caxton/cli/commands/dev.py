"""`caxton dev`: save a file, and the running system takes it in."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caxton.cli.options import Project, seconds

if TYPE_CHECKING:
    from caxton.cli.output.dev_lines import Lines
    from caxton.devloop import DevLoop, Event, GateOptions

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_STEPS = {"a": "promote", "x": "abort"}
"""What a key does with a build that waits."""
KEYS = "a accept, d difference, x drop"
START_S = 60.0
STOP_S = 15.0


class Ui(StrEnum):
    """How the loop is shown."""

    TUI = "tui"
    STREAM = "stream"
    JSON = "json"
    OFF = "off"


class GateMode(StrEnum):
    """What a build must do before it is taken in."""

    NONE = "none"
    CHECK = "check"
    REPLAY = "replay"


class Strategy(StrEnum):
    """How a new build takes over."""

    DIRECT = "direct"
    BLUE_GREEN = "blue-green"


@app.command()
def dev(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="A project, or a folder with one agent's source.  [default: the nearest project, else here]",
        ),
    ] = None,
    ui: Annotated[
        Ui | None,
        typer.Option(
            "--ui",
            help="tui beside the agents, stream of lines, json (one object a line), off (failures only).  "
            "[default: tui in a terminal, else stream]",
        ),
    ] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Also show the agents' messages and log lines (stream, json).")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all output of a builder, and when it begins.")
    ] = False,
    strategy: Annotated[
        Strategy, typer.Option("--strategy", help="How a new build takes over.")
    ] = Strategy.DIRECT,
    fresh_state: Annotated[
        bool, typer.Option("--fresh-state", help="Begin every build without the state of the one before.")
    ] = False,
    gate: Annotated[
        GateMode,
        typer.Option(
            "--gate",
            help="none accepts every build; check stops one that traps or breaks a protocol in conversations that "
            "were; replay also one that changes an answer in a pinned conversation.",
        ),
    ] = GateMode.REPLAY,
    gate_last: Annotated[
        int,
        typer.Option(
            "--gate-last",
            metavar="N",
            min=0,
            max=1000,
            help="The newest conversations that a build is tried on.",
        ),
    ] = 20,
    gate_time: Annotated[
        float, typer.Option("--gate-time", metavar="DURATION", parser=seconds, help="How long that may take.")
    ] = 2.0,
    debounce: Annotated[
        float,
        typer.Option(
            "--debounce",
            metavar="DURATION",
            parser=seconds,
            help="How long files must be quiet after a save.",
        ),
    ] = 0.06,
    project: Project = None,
) -> None:
    """Build the agents, run them, and deploy every save: the new build goes on where the old one was.

    Starts the project's daemon if none runs, and at its end stops the one that it started. Only what a save concerns
    is built again; a build that fails leaves the old revision answering. What needs which toolchain, and whether it
    is here, `caxton doctor` says.

    Before a build is taken in, the conversations that are pinned and the newest ones are replayed against it, and a
    line says what changes. A build that the gate stops waits for a key: a accepts it, d shows the difference, x drops
    it; or for caxton deploy promote|abort.

    \b
    Examples:
      caxton dev
      caxton dev agents/counter
      caxton dev --ui stream --messages
      caxton dev --ui json | jq 'select(.event == "deployed")'
    """
    from caxton.cli.commands.tui import in_terminal
    from caxton.devloop import ensure_project
    from caxton.errors import ConfigurationError

    if folder is not None and project is not None and folder.resolve() != project.resolve():
        raise ConfigurationError("DIR and --project name two places", hint="name the folder once")
    home = place_of(folder or project)
    implied = ensure_project(home)
    shown = ui or (Ui.TUI if in_terminal() and _has_viewer() else Ui.STREAM)
    if shown is Ui.TUI and not in_terminal():
        raise ConfigurationError(
            "the terminal interface needs a terminal", hint="without one: caxton dev --ui stream"
        )
    from caxton.devloop import GateOptions

    before = GateOptions(gate.value, gate_last, gate_time)
    loop = _Loop(home, implied, strategy, fresh_state, max(debounce, 0.01), before)
    with loop.daemon:
        if shown is Ui.TUI:
            running = _in_viewer(loop, verbose)
        else:
            running = loop.until_ended(shown, verbose, messages and shown is not Ui.OFF)
        try:
            asyncio.run(running)
        except BaseExceptionGroup as group:
            raise _first(group) from None


def place_of(given: Path | None) -> Path:
    """The folder to look after: the one given, else the nearest project, else the working folder."""
    from caxton.cli import connection

    if given is not None:
        return given.resolve()
    here = Path.cwd()
    return next((one for one in (here, *here.parents) if connection.configured(one)), here)


class Daemon:
    """The project's daemon: found running, or started and then stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Daemon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from caxton.cli import connection
        from caxton.errors import CaxtonError

        if self._ours is None or self._ours.poll() is not None:
            return
        try:
            with connection.client(self._folder, timeout_s=STOP_S) as caxton:
                caxton.stop_daemon()
            self._ours.wait(STOP_S)
        except (CaxtonError, subprocess.TimeoutExpired):
            self._ours.kill()
            self._ours.wait()

    def bring_up(self) -> bool:
        """Return when the daemon is ready; whether it was started for that."""
        from caxton.cli import connection, daemon_process
        from caxton.daemon_socket import is_held
        from caxton.errors import TimedOut, Unreachable

        until = time.monotonic() + START_S
        # another's daemon may be on its way up or down: it holds the project, and does not answer
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
        self._ours = daemon_process.launch(self._folder, known_stay=True)
        daemon_process.wait_ready(self._folder, self._ours, START_S, lambda why: None)
        return True


class _Loop:
    """The development loop with its daemon, until a signal ends it."""

    def __init__(
        self,
        folder: Path,
        implied: bool,
        strategy: Strategy,
        fresh_state: bool,
        debounce_s: float,
        gate: GateOptions,
    ) -> None:
        self.folder = folder
        self.daemon = Daemon(folder)
        self._implied = implied
        self._strategy = strategy
        self._fresh_state = fresh_state
        self._debounce_ms = round(debounce_s * 1000)
        self._gate = gate
        self.loop: DevLoop | None = None
        """The loop under way."""

    async def run(self, sink: Callable[[Event], None]) -> None:
        """Build, bring up, watch; until it is cancelled."""
        from caxton.devloop import DevLoop

        self.loop = DevLoop(
            self.folder,
            sink,
            lambda: asyncio.to_thread(self.daemon.bring_up),
            implied=self._implied,
            strategy=self._strategy.value,
            fresh_state=self._fresh_state,
            gate=self._gate,
            debounce_ms=self._debounce_ms,
        )
        await self.loop.run()

    async def until_ended(self, ui: Ui, verbose: bool, messages: bool) -> None:
        """The same until Ctrl-C, SIGTERM or SIGHUP, which end it well; with `messages`, what the agents say as well."""
        from caxton.cli.input.keys import keys
        from caxton.cli.output.dev_lines import Lines
        from caxton.cli.output.dev_messages import follow
        from caxton.cli.output.printing import colour_wanted, say
        from caxton.devloop.events import DaemonUp

        up = asyncio.Event()
        by_key = ui is Ui.STREAM and sys.stdin.isatty()
        colour = colour_wanted(sys.stderr if ui is Ui.OFF else sys.stdout)
        lines = Lines(colour=colour, verbose=verbose, keys=KEYS if by_key else "")
        show = _sink(ui, lines)

        def also(event: Event) -> None:
            show(event)
            if isinstance(event, DaemonUp):
                up.set()

        async with asyncio.TaskGroup() as group:

            def pressed(key: str) -> None:
                loop = self.loop
                if loop is None or not loop.held:
                    return
                agent, held = list(loop.held.items())[-1]
                if key == "d":
                    for line in lines.differences(held):
                        say(line)
                elif key in _STEPS:
                    group.create_task(loop.decide(agent, _STEPS[key]))

            task = group.create_task(self.run(also))
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
            if messages:
                tape = group.create_task(follow(self.folder, up, as_json=ui is Ui.JSON))
                task.add_done_callback(lambda _: tape.cancel())
            with keys(pressed) if by_key else nullcontext():
                await asyncio.wait([task])


def _sink(ui: Ui, lines: Lines) -> Callable[[Event], None]:
    from caxton.cli.output.printing import say, talk

    if ui is Ui.JSON:
        return lambda event: say(as_json(event))

    def show(event: Event) -> None:
        for line in lines.of(event):
            if ui is Ui.STREAM:
                say(line)
            elif event.failure:
                talk(line)

    return show


def as_json(event: Event) -> str:
    """One event as one line of JSON; `at` is ISO."""
    import json

    import msgspec

    from caxton.schemas.shape import iso, plain

    body: dict[str, Any] = msgspec.to_builtins(event)
    gate = getattr(event, "gate", None)
    if gate is not None:
        body["gate"] = plain(gate)
    body = {"event": body.pop("event"), "at": iso(body.pop("at_us")), **body}
    return json.dumps(body)


def _has_viewer() -> bool:
    from importlib.util import find_spec

    return find_spec("caxton_tui") is not None


async def _in_viewer(loop: _Loop, verbose: bool) -> None:
    """Beside the agents, in the terminal interface: the loop's lines get a strip there. Leaving it ends the loop."""
    from caxton.cli.output.dev_lines import Lines
    from caxton_tui import attach, user_settings

    settings = user_settings()
    lines = Lines(colour=False, verbose=verbose, ends="q", keys=f"on screen 4: {KEYS}")
    said: asyncio.Queue[str] = asyncio.Queue()

    def show(event: Event) -> None:
        for line in lines.of(event):
            said.put_nowait(line)

    async def strip() -> AsyncGenerator[str]:
        while True:
            yield await said.get()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run(show))
        viewer = group.create_task(attach(loop.folder, dev=strip(), settings=settings))
        viewer.add_done_callback(lambda _: task.cancel())
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, viewer.cancel)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of those that ended several tasks; that a reader of our lines has gone is none."""
    first = _leaves(group)[0]
    if isinstance(first, BrokenPipeError):
        # nothing more can be said there, not even at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return typer.Exit()
    return first


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]  # pyright: ignore[reportUnknownArgumentType] - its arguments cannot be told at run time
    return found
