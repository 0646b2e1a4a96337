"""The market example on a real daemon in a project of its own, as `caxton demo` shows it.

Nothing is acted: the daemon is the one of `caxton up`, the agents are WebAssembly modules in their sandboxes,
and what is printed comes from the journal over the event stream.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from caxton.cli import connection, daemon_process
from caxton.cli.connection import STATE
from caxton.cli.lazy import lazy
from caxton.cli.output.market_story import BEGIN, KEYS, MarketStory
from caxton.cli.output.market_tally import MarketTally
from caxton.cli.output.message_lines import MessageLines
from caxton.cli.output.printing import colour_wanted, paint, say, span, talk
from caxton.client import AsyncClient
from caxton.daemon_socket import socket_path
from caxton.errors import AgentError, CaxtonError, TimedOut
from caxton.schemas.messages import DeadLetterBody, MessageBody
from caxton.schemas.shape import Message, shaped

if TYPE_CHECKING:
    import caxton_tui
else:
    (caxton_tui,) = lazy("caxton_tui")

START_S = 30.0
STOP_S = 5.0
SPRINT_ROUNDS = 500
SPRINT_S = 3.0
PACE_S = 12.0
READ_S = 1.2
"""Between two lines of what one sees, for the eye."""
GO_ON = (
    "go on with:",
    "  caxton new counter && caxton dev counter   an agent of your own, deployed at every save",
    "  caxton demo --keep                         the market once more, kept to look at",
    "  caxton docs tutorial                       the first hour; caxton docs WORD searches",
)
"""How it ends."""

Pace = tuple[int, float]
"""How many messages in how many seconds."""


def run(rounds: int, seconds: float | None, *, on_screen: bool, stay: bool, keep: bool) -> None:
    """Show the market, in the terminal interface or line by line, then a summary.

    The seconds count from when the agents are up and the picture stands. Without them a screen stays until `q`.
    """
    begun = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="caxton-demo-"))
    folder = home / "market"
    try:
        talk("starting a daemon with four agents …")
        with _ends_cleanly():
            _settle(folder)
            with _running(folder, on_screen):
                talk(f"four agents are up after {time.monotonic() - begun:.1f} s; the buyer gets its order")
                trade = _Trade(folder, rounds, PACE_S if seconds is None else seconds, shown=not on_screen)
                if on_screen:
                    asyncio.run(trade.on_screen(None if stay else seconds))
                else:
                    asyncio.run(trade.run())
                trade.sum_up()
                for line in GO_ON:
                    talk(line)
    finally:
        if keep:
            talk(f"kept: {folder}; look at it with: caxton -p {folder} up")
        else:
            shutil.rmtree(home, ignore_errors=True)


class _Trade:
    """The trade on that project's daemon, for about so many seconds from its order."""

    def __init__(self, folder: Path, rounds: int, seconds: float, *, shown: bool) -> None:
        self._folder = folder
        self._rounds = rounds
        self._seconds = seconds
        self._shown = shown
        self._said: asyncio.Queue[str] = asyncio.Queue()
        """What one sees, for the strip on screen."""
        self._tally = MarketTally()
        self._complete = False
        """Whether the buyer reported before the time was up."""
        self._fast: Pace | None = None
        self._story = MarketStory()

    async def run(self) -> None:
        """Give the order and follow it; then the same without pauses."""
        until = time.monotonic() + self._seconds
        # the time is shared by the rounds, less what sprint, summary and stop need
        left = max(self._seconds - SPRINT_S - 1.0, 0.5)
        pause_ms = int(1000 * min(1.0, left * 0.85 / self._rounds))
        self._said.put_nowait(BEGIN)
        self._complete = await watch(
            self._folder, self._rounds, pause_ms, left, self._tally, say if self._shown else None, self._tell
        )
        if self._complete:
            patience_s = until - time.monotonic() - 0.5
            self._said.put_nowait(f"{self._tally.outcomes()}; now {SPRINT_ROUNDS} rounds without a pause")
            self._fast = await sprint(self._folder, min(SPRINT_S, patience_s) if self._shown else SPRINT_S)
        if self._fast is not None:
            self._said.put_nowait(
                f"{self._fast[0] / max(self._fast[1], 1e-6):,.0f} messages/s, each one on disk"
            )
        self._said.put_nowait(KEYS)

    def _tell(self, stored: MessageBody) -> None:
        line = self._story.of(stored)
        if line is not None:
            self._said.put_nowait(line)

    async def on_screen(self, seconds: float | None) -> None:
        """The same beside the terminal interface, until the time is up or the operator leaves."""
        settings = caxton_tui.user_settings()
        wrong: CaxtonError | None = None
        stands = asyncio.Event()

        async def strip() -> AsyncGenerator[str]:
            # asked for when the first picture is up
            stands.set()
            while True:
                yield await self._said.get()
                await asyncio.sleep(READ_S)

        async def trade() -> None:
            nonlocal wrong
            await stands.wait()
            try:
                await self.run()
            except CaxtonError as error:
                # said when the screen is the operator's again
                wrong = error

        async with asyncio.TaskGroup() as group:
            trading = group.create_task(trade())
            code = await caxton_tui.attach(self._folder, dev=strip(), seconds=seconds, settings=settings)
            trading.cancel()
        if code:
            raise KeyboardInterrupt
        if wrong is not None:
            raise wrong

    def sum_up(self) -> None:
        """Print the market in numbers."""
        if not self._tally.conversations:
            if not self._shown:
                # the operator left before anything was traded
                return
            raise TimedOut(
                f"nothing was traded in {START_S:.0f} s", hint="look at what the machine does; caxton doctor"
            )
        if self._shown and not self._complete:
            talk("the time is up before the last round")
        with connection.client(self._folder) as caxton:
            agents = caxton.agents()
        fuel, turns = sum(agent.fuel for agent in agents), sum(agent.turns for agent in agents)
        say()
        for line in summary(self._tally, fuel, turns, self._fast):
            say(line)


def _example(name: str) -> Path:
    """The folder of an example: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "examples" / name
    return packaged if packaged.is_dir() else package.parent / "agents-examples" / name


def _settle(folder: Path) -> None:
    """Make the market's project in `folder`: its configuration and the built modules."""
    folder.mkdir(mode=0o700)
    for file in _example("market").iterdir():
        if file.suffix in (".toml", ".wasm"):
            shutil.copy(file, folder / file.name)


@contextmanager
def _ends_cleanly() -> Generator[None]:
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
def _running(folder: Path, on_screen: bool) -> Generator[None]:
    """A daemon on that project: ready on entry, ended on exit, killed where it does not end by itself."""
    # it lasts for seconds, and has to trade in them on a busy machine, too
    process = daemon_process.launch(folder, nice=0)
    try:
        if on_screen:
            # wrong settings end it here, and what the screen needs is imported while the daemon starts
            caxton_tui.user_settings()
        daemon_process.wait_ready(folder, process, START_S, lambda why: None)
        yield
    finally:
        daemon_process.end(folder, process, STOP_S)


async def watch(
    folder: Path,
    rounds: int,
    pause_ms: int,
    patience_s: float,
    tally: MarketTally,
    out: Callable[[str], None] | None,
    seen: Callable[[MessageBody], None],
) -> bool:
    """Order, and count (and print) what follows; whether the buyer reported within `patience_s` of the first message.

    `seen` is told of each message of the trade.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sequence = MessageLines(out, colour=colour_wanted(), width=width) if out is not None else None
    async with AsyncClient(socket_path(folder / STATE), timeout=10.0) as caxton:
        sent = await caxton.send(order("book", rounds, pause_ms))
        begun = False
        try:
            async with asyncio.timeout(START_S) as limit:
                async for event in caxton.events(after=sent.seq - 1, kinds=["message", "dead_letter"]):
                    if event.kind == "gap":
                        tally.missed(event.data["lost"])
                        if sequence is not None:
                            talk(f"… {event.data['lost']:,} not shown")
                    elif event.kind == "dead_letter":
                        if sequence is not None:
                            sequence.dead_letter(shaped(event.data, DeadLetterBody))
                    elif tally.add(stored := event.stored):
                        if not begun:
                            begun = True
                            limit.reschedule(asyncio.get_running_loop().time() + patience_s)
                        seen(stored)
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
    if patience_s < 0.2:
        return None
    async with AsyncClient(socket_path(folder / STATE), timeout=patience_s + 5.0) as caxton:
        answer = await caxton.send(order("pen", SPRINT_ROUNDS, 0), wait_s=patience_s, replies=2)
        if len(answer.replies) < 2:
            return None
        first, last = await caxton.message(str(answer.seq)), answer.replies[-1]
    return last.seq - first.seq + 1, (last.at - first.at).total_seconds()


def summary(tally: MarketTally, fuel: int, turns: int, fast: Pace | None) -> Iterator[str]:
    """The lines that end the demo."""
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
    yield paint("The market in numbers", "bold")
    for name, text in rows:
        yield f"  {paint(f'{name:<14}', 'bold')} {text}"
