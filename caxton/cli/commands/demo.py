"""`caxton demo`: the market example on a real daemon in a project of its own, for a person to watch.

Nothing is acted: the daemon is the one of `caxton up`, the agents are WebAssembly modules in their sandboxes,
and what is printed comes from the journal over the event stream.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caxton.cli.options import seconds as duration
from caxton.schemas.messages import DeadLetterBody
from caxton.schemas.shape import Message, shaped

if TYPE_CHECKING:
    from caxton.cli.output.market_tally import MarketTally
    from caxton.errors import TimedOut

app = typer.Typer(rich_markup_mode=None, add_completion=False)

START_S = 30.0
STOP_S = 5.0
SPRINT_ROUNDS = 500
SPRINT_S = 3.0

Pace = tuple[int, float]
"""How many messages in how many seconds."""


@app.command()
def demo(
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=100, help="How many things the buyer buys.")
    ] = 6,
    seconds: Annotated[
        float,
        typer.Option("--seconds", metavar="DURATION", parser=duration, help="About how long it may take."),
    ] = 12.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project, to look at it afterwards.")] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print the trade line by line, also in a terminal.")
    ] = False,
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave the terminal interface open until q is pressed.")
    ] = False,
) -> None:
    """Watch four agents trade on a market for some seconds.

    A buyer asks three sellers for offers (fipa-contract-net), takes the cheapest, and gets the thing or an
    excuse. Then the same once more without pauses, to see how fast it goes. Needs no compiler. In a terminal it opens
    the terminal interface on the market (q leaves it early); elsewhere it prints the trade.

    \b
    Examples:
      caxton demo
      caxton demo --rounds 20 --seconds 20
      caxton demo --stay
      caxton demo --stream --keep
    """
    from caxton.cli.commands.tui import in_terminal
    from caxton.cli.output.printing import complain, talk

    begun = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="caxton-demo-"))
    folder = home / "market"
    try:
        with ends_cleanly():
            settle(folder)
            with running(folder):
                talk(f"four agents are up after {time.monotonic() - begun:.1f} s; the buyer gets its order")
                if stream or not in_terminal():
                    show(folder, rounds, begun + seconds)
                else:
                    perform(folder, rounds, begun + seconds, stay)
    except KeyboardInterrupt:
        complain("stopped before the end")
        raise typer.Exit(130) from None
    finally:
        if keep:
            talk(f"kept: {folder}; look at it with: caxton -p {folder} up")
        else:
            shutil.rmtree(home, ignore_errors=True)


def example(name: str) -> Path:
    """The folder of an example: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    packaged = package / "examples" / name
    return packaged if packaged.is_dir() else package.parent / "agents-examples" / name


def settle(folder: Path) -> None:
    """Make the market's project in `folder`: its configuration and the built modules."""
    folder.mkdir(mode=0o700)
    for file in example("market").iterdir():
        if file.suffix in (".toml", ".wasm"):
            shutil.copy(file, folder / file.name)


@contextmanager
def ends_cleanly() -> Generator[None]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, so that daemon and folder never outlive the demo."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(folder: Path) -> Generator[None]:
    """A daemon on that project: ready on entry, ended on exit, killed where it does not end by itself."""
    from caxton.cli import connection, daemon_process
    from caxton.errors import TimedOut, Unreachable

    # it lasts for seconds, and has to trade in them on a busy machine, too
    process = daemon_process.launch(folder, nice=0)
    try:
        daemon_process.wait_ready(folder, process, START_S, lambda why: None)
        yield
    finally:
        try:
            with connection.client(folder, timeout_s=STOP_S) as caxton:
                caxton.stop_daemon()
            process.wait(STOP_S)
        except (Unreachable, TimedOut, subprocess.TimeoutExpired):
            process.kill()
            process.wait()


def show(folder: Path, rounds: int, until: float) -> None:
    """Give the order, print the trade, then the summary; `until` is a moment of `time.monotonic`."""
    from caxton.cli.output.market_tally import MarketTally
    from caxton.cli.output.printing import talk

    tally = MarketTally()
    fast: Pace | None = None
    pause_ms, left = pace_of(rounds, until)
    if asyncio.run(watch(folder, rounds, pause_ms, left, tally, shown=True)):
        fast = asyncio.run(sprint(folder, min(SPRINT_S, until - time.monotonic() - 0.5)))
    elif not tally.conversations:
        raise nothing_traded()
    else:
        talk("the time is up before the last round")
    sum_up(folder, tally, fast)


def perform(folder: Path, rounds: int, until: float, stay: bool) -> None:
    """The same in the terminal interface, until `until` or until the operator leaves; the summary afterwards."""
    from caxton.cli.output.market_tally import MarketTally
    from caxton.errors import CaxtonError
    from caxton_tui import attach, user_settings

    tally = MarketTally()
    settings = user_settings()
    fast: Pace | None = None
    wrong: CaxtonError | None = None
    pause_ms, left = pace_of(rounds, until)

    async def trade() -> None:
        nonlocal fast, wrong
        try:
            if await watch(folder, rounds, pause_ms, left, tally, shown=False):
                fast = await sprint(folder, min(SPRINT_S, until - time.monotonic() - 0.5))
        except CaxtonError as error:
            # said when the screen is the operator's again
            wrong = error

    async def both() -> int:
        async with asyncio.TaskGroup() as group:
            trading = group.create_task(trade())
            seconds = None if stay else max(until - time.monotonic() - 0.5, 0.5)
            code = await attach(folder, seconds=seconds, settings=settings)
            trading.cancel()
        return code

    if asyncio.run(both()):
        raise KeyboardInterrupt
    if wrong is not None:
        raise wrong
    if tally.conversations:
        sum_up(folder, tally, fast)
    elif time.monotonic() > until - 1.0:
        raise nothing_traded()


def nothing_traded() -> TimedOut:
    """The machine was too slow for the time that was given."""
    from caxton.errors import TimedOut

    return TimedOut("nothing was traded in the time that was given", hint="give it more with --seconds")


def pace_of(rounds: int, until: float) -> tuple[int, float]:
    """Milliseconds between two rounds, and seconds for all of them."""
    # What remains is shared by the rounds, less what sprint, summary and stop need.
    left = max(until - time.monotonic() - SPRINT_S - 1.0, 0.5)
    return int(1000 * min(1.0, left * 0.85 / rounds)), left


def sum_up(folder: Path, tally: MarketTally, fast: Pace | None) -> None:
    """Print the market in numbers."""
    from caxton.cli import connection
    from caxton.cli.output.printing import say

    with connection.client(folder) as caxton:
        agents = caxton.agents()
    fuel, turns = sum(agent.fuel for agent in agents), sum(agent.turns for agent in agents)
    say()
    for line in summary(tally, fuel, turns, fast):
        say(line)


async def watch(
    folder: Path, rounds: int, pause_ms: int, patience_s: float, tally: MarketTally, *, shown: bool
) -> bool:
    """Order, and count (and where `shown` print) what follows; whether the buyer reported before the time was up."""
    from caxton.cli.connection import STATE
    from caxton.cli.output.message_lines import MessageLines
    from caxton.cli.output.printing import colour_wanted, say, talk
    from caxton.client import AsyncClient
    from caxton.daemon_socket import socket_path

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sequence = MessageLines(say, colour=colour_wanted(), width=width) if shown else None
    async with AsyncClient(socket_path(folder / STATE), timeout=10.0) as caxton:
        sent = await caxton.send(order("book", rounds, pause_ms))
        try:
            async with asyncio.timeout(patience_s):
                async for event in caxton.events(after=sent.seq - 1, kinds=["message", "dead_letter"]):
                    if event.kind == "gap":
                        tally.messages += event.data["lost"]
                        if sequence is not None:
                            talk(f"… {event.data['lost']:,} not shown")
                    elif event.kind == "dead_letter":
                        if sequence is not None:
                            sequence.dead_letter(shaped(event.data, DeadLetterBody))
                    elif tally.add(stored := event.stored):
                        if sequence is not None:
                            sequence.message(stored)
                        if reports(stored.message, sent.conversation_id):
                            return True
        except TimeoutError:
            pass
    return False


def order(item: str, rounds: int, pause_ms: int) -> dict[str, Any]:
    """The request that sets the buyer going."""
    return {
        "performative": "request",
        "receiver": ["buyer"],
        "protocol": "fipa-request",
        "content": {"action": "buy", "item": item, "rounds": rounds, "pause_ms": pause_ms},
    }


def reports(message: Message, conversation: str) -> bool:
    """Whether this is the buyer's report on the order in that conversation; AgentError where it cannot be had."""
    from caxton.errors import AgentError

    act = message.performative
    if message.conversation_id != conversation or act in ("request", "agree"):
        return False
    if act != "inform":
        why = message.content
        raise AgentError(f"the buyer did not do it: {act}: {why}", hint="look at: caxton doctor")
    return True


async def sprint(folder: Path, patience_s: float) -> Pace | None:
    """The same trade without pauses: messages and seconds; None where the time did not suffice.

    Measured by the journal: from the admission of the order to that of the buyer's report.
    """
    from caxton.cli.connection import STATE
    from caxton.cli.output.message_lines import moment
    from caxton.client import AsyncClient
    from caxton.daemon_socket import socket_path

    if patience_s < 0.2:
        return None
    async with AsyncClient(socket_path(folder / STATE), timeout=patience_s + 5.0) as caxton:
        answer = await caxton.send(order("pen", SPRINT_ROUNDS, 0), wait_s=patience_s, replies=2)
        if len(answer.replies) < 2:
            return None
        first, last = await caxton.message(str(answer.seq)), answer.replies[-1]
    return last.seq - first.seq + 1, moment(last) - moment(first)


def summary(tally: MarketTally, fuel: int, turns: int, fast: Pace | None) -> Iterator[str]:
    """The lines that end the demo."""
    from caxton.cli.output.printing import colour_wanted, paint, span

    took = max(tally.last_s - tally.first_s, 1e-6)
    rows = [
        ("messages", f"{tally.messages}, each one committed before it was shown"),
        ("conversations", tally.kinds()),
        ("outcomes", tally.outcomes()),
        ("sales", tally.sellers()),
        ("fuel", f"{fuel:,} in {turns} turns, {fuel // max(turns, 1):,} a turn"),
        ("pace", f"{tally.messages / took:.1f} messages/s, with pauses to read in"),
    ]
    if fast is not None:
        count, spent = fast
        pace = f"{count / max(spent, 1e-6):,.0f} messages/s"
        rows.append(
            ("no pauses", f"{pace}: {SPRINT_ROUNDS} rounds in a row, {count:,} messages in {span(spent)}")
        )
    wanted = colour_wanted()
    yield paint("The market in numbers", "bold", wanted)
    for name, text in rows:
        yield f"  {paint(f'{name:<14}', 'bold', wanted)} {text}"
