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

if TYPE_CHECKING:
    from caxton.cli.ledger import Ledger

app = typer.Typer(rich_markup_mode=None, add_completion=False)

START_S = 10.0
STOP_S = 5.0
SPRINT_ROUNDS = 500
SPRINT_S = 3.0


@app.command()
def demo(
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=100, help="How many things the buyer buys.")
    ] = 6,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", metavar="DURATION", parser=duration, help="About how long it may take in all."
        ),
    ] = 12.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project, to look at it afterwards.")] = False,
) -> None:
    """Watch four agents trade on a market for some seconds.

    A buyer asks three sellers for offers (fipa-contract-net), takes the cheapest, and gets the thing or an
    excuse. Then the same once more without pauses, to see how fast it goes. Needs no compiler.

    \b
    Examples:
      caxton demo
      caxton demo --rounds 20 --seconds 20
      caxton demo --keep
    """
    from caxton.cli.output import complain, talk

    begun = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="caxton-demo-"))
    folder = home / "market"
    try:
        with ends_cleanly():
            settle(folder)
            with running(folder):
                talk(f"four agents are up after {time.monotonic() - begun:.1f} s; the buyer gets its order")
                show(folder, rounds, begun + seconds)
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
    package = Path(__file__).resolve().parents[1]
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
    from caxton.cli import place, spawn
    from caxton.errors import TimedOut, Unreachable

    process = spawn.launch(folder)
    try:
        spawn.wait_ready(folder, process, START_S, lambda why: None)
        yield
    finally:
        try:
            with place.client(folder, timeout_s=STOP_S) as caxton:
                caxton.stop_daemon()
            process.wait(STOP_S)
        except (Unreachable, TimedOut, subprocess.TimeoutExpired):
            process.kill()
            process.wait()


def show(folder: Path, rounds: int, until: float) -> None:
    """Give the order, print the trade, then the summary; `until` is a moment of `time.monotonic`."""
    from caxton.cli import place
    from caxton.cli.output import say, talk
    from caxton.errors import TimedOut

    # What remains is shared by the rounds, less what sprint, summary and stop need.
    left = until - time.monotonic() - SPRINT_S - 1.0
    pause_ms = int(1000 * min(1.0, max(left, 0.5) * 0.85 / rounds))
    ledger, finished = asyncio.run(watch(folder, rounds, pause_ms, max(left, 0.5)))
    if not ledger.conversations:
        raise TimedOut("nothing was traded in the time that was given", hint="give it more with --seconds")
    if not finished:
        talk("the time is up before the last round")
    with place.client(folder) as caxton:
        agents = caxton.agents()
    fuel, turns = sum(agent["fuel"] for agent in agents), sum(agent["turns"] for agent in agents)
    fast = sprint(folder, min(SPRINT_S, until - time.monotonic() - 0.5)) if finished else None
    say()
    for line in summary(ledger, fuel, turns, fast):
        say(line)


async def watch(folder: Path, rounds: int, pause_ms: int, patience_s: float) -> tuple[Ledger, bool]:
    """Order, and print what follows; what was seen, and whether the buyer reported before the time was up."""
    from caxton.api.client import AsyncClient
    from caxton.api.socket import socket_path
    from caxton.cli.ledger import Ledger
    from caxton.cli.output import colour_wanted, say, talk
    from caxton.cli.place import STATE
    from caxton.cli.sequence import Sequence

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sequence = Sequence(say, colour=colour_wanted(), width=width)
    ledger = Ledger()
    finished = False
    async with AsyncClient(socket_path(folder / STATE), timeout=10.0) as caxton:
        sent = await caxton.send(order("book", rounds, pause_ms))
        try:
            async with asyncio.timeout(patience_s):
                async for event in caxton.events(after=sent["seq"] - 1, kinds=["message", "dead_letter"]):
                    if event.kind == "gap":
                        ledger.messages += event.data["lost"]
                        talk(f"… {event.data['lost']:,} not shown")
                    elif event.kind == "dead_letter":
                        sequence.dead_letter(event.data["body"])
                    elif ledger.add(event.data):
                        sequence.message(event.data)
                        if reports(event.data["message"], sent["conversation_id"]):
                            finished = True
                            break
        except TimeoutError:
            pass
    return ledger, finished


def order(item: str, rounds: int, pause_ms: int) -> dict[str, Any]:
    """The request that sets the buyer going."""
    return {
        "performative": "request",
        "receiver": ["buyer"],
        "protocol": "fipa-request",
        "content": {"action": "buy", "item": item, "rounds": rounds, "pause_ms": pause_ms},
    }


def reports(message: dict[str, Any], conversation: str) -> bool:
    """Whether this is the buyer's report on the order in that conversation; AgentError where it cannot be had."""
    from caxton.errors import AgentError

    act = message["performative"]
    if message["conversation_id"] != conversation or act in ("request", "agree"):
        return False
    if act != "inform":
        why = message.get("content")
        raise AgentError(f"the buyer did not do it: {act}: {why}", hint="look at: caxton doctor")
    return True


def sprint(folder: Path, patience_s: float) -> tuple[int, float] | None:
    """The same trade without pauses: messages and seconds; None where the time did not suffice.

    Measured by the journal: from the admission of the order to that of the buyer's report.
    """
    from caxton.cli import place
    from caxton.cli.sequence import moment

    if patience_s < 0.2:
        return None
    with place.client(folder, timeout_s=patience_s + 5.0) as caxton:
        answer = caxton.send(order("pen", SPRINT_ROUNDS, 0), wait_s=patience_s, replies=2)
        if len(answer["replies"]) < 2:
            return None
        first, last = caxton.message(str(answer["seq"])), answer["replies"][-1]
    return last["seq"] - first["seq"] + 1, moment(last) - moment(first)


def summary(ledger: Ledger, fuel: int, turns: int, fast: tuple[int, float] | None) -> Iterator[str]:
    """The lines that end the demo."""
    from caxton.cli.output import colour_wanted, paint, span

    took = max(ledger.last_s - ledger.first_s, 1e-6)
    rows = [
        ("messages", f"{ledger.messages}, each one committed before it was shown"),
        ("conversations", ledger.kinds()),
        ("outcomes", ledger.outcomes()),
        ("sales", ledger.sellers()),
        ("fuel", f"{fuel:,} in {turns} turns, {fuel // max(turns, 1):,} a turn"),
        ("pace", f"{ledger.messages / took:.1f} messages/s, with pauses to read in"),
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
