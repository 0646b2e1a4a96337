"""What `caxton why` and `caxton diff` print.

In: a message, or two runs. Out: lines for a person, or JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from caxton.cli import connection
from caxton.cli.options import Format
from caxton.cli.output.printing import document, paint, plural, safe, say, span
from caxton.config import load
from caxton.errors import ConfigurationError
from caxton.history import Link, Parting
from caxton.history import difference as parting_of
from caxton.history import why as led_to
from caxton.history.reading import opened
from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers, short
from caxton.scenario.suite import KEPT
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import micros

ROOM: Final = 100
"""Characters of a content."""
SHOWN: Final = 5
"""Messages of a mailbox that are named."""


def why(message: str, run: str | None, project: Path | None, output: Format) -> None:
    """Print what led to a message."""
    path, tables = _journal(run, project), _tables(project)

    async def read() -> list[Link]:
        async with opened(path) as reader:
            return await led_to(reader, message, tables)

    links = asyncio.run(read())
    if output is Format.TEXT:
        for line in why_lines(links):
            say(line)
    elif output is Format.JSON:
        document([link.json() for link in links], output)
    else:
        for link in links:
            document(link.json(), output)


def why_lines(links: Sequence[Link], *, whole: bool = True) -> Iterator[str]:
    """The chain, the message itself last; not `whole` where it is only the end of one."""
    first_us = micros(links[0].body.at)
    if whole and links[0].body.cause is not None:
        yield paint("what came before is not in the journal any more", "dim")
    for link in links:
        body = link.body
        yield spoken(body, (micros(body.at) - first_us) / 1e6, last=link is links[-1])
        talk = safe(body.message.conversation_id)
        state = f", {link.state} before it" if link.state else ""
        protocol = f", {body.message.protocol}" if body.message.protocol else ""
        yield paint(f"        in {talk}{safe(protocol)}{state}", "dim")
        if link.turn is not None:
            turn = link.turn
            build = f" on build {turn.revision[:8]}" if turn.revision else ""
            waited = f"after it waited {span(turn.queue_us / 1e6)}, in {span(turn.turn_us / 1e6)}"
            yield f"    ↳ {short(turn.agent)}{build}: {waited}, it said"
            if link.waiting:
                named = ", ".join(
                    f"{one.seq} {one.message.performative} from {short(one.message.sender)}"
                    for one in link.waiting[:SHOWN]
                )
                more = len(link.waiting) - SHOWN
                rest = f" and {more:,} more" if more > 0 else ""
                yield f"      in its mailbox then: {named}{rest}"


def spoken(body: MessageBody, after_s: float, *, last: bool = False) -> str:
    """One message on a line."""
    message = body.message
    content = "" if message.content is None else f"  {compact(message.content, ROOM)}"
    who = f"{short(message.sender)} → {receivers(message)}"
    act = paint(message.performative, "bold cyan" if last else "bold")
    return f"{body.seq:>6}  +{span(after_s)}  {who}  {act}{content}"


def diff(first: str, second: str, project: Path | None, output: Format) -> bool:
    """Print where two runs part; whether they do."""
    paths = [_journal(one, project) for one in (first, second)]
    tables = _tables(project)

    async def read() -> tuple[Parting | None, list[list[Link]]]:
        async with opened(paths[0]) as one, opened(paths[1]) as other:
            found = await parting_of(one, other)
            chains: list[list[Link]] = []
            if found is not None:
                for reader, body in ((one, found.first), (other, found.second)):
                    chains.append([] if body is None else await led_to(reader, str(body.seq), tables))
            return found, chains

    found, chains = asyncio.run(read())
    if output is not Format.TEXT:
        document({"same": True} if found is None else {"same": False, **found.json()}, output)
    elif found is None:
        say("both say the same to their ends")
    else:
        _tell(found, chains, (first, second))
    return found is not None


def _tell(found: Parting, chains: Sequence[Sequence[Link]], names: tuple[str, str]) -> None:
    say(f"the first {plural(found.alike, 'message')} are the same" if found.alike else "they part at once")
    for body in found.before:
        say(paint(spoken(body, 0.0), "dim"))
    for name, links in zip(names, chains, strict=True):
        say(paint(f"\n{safe(name)}", "bold"))
        if not links:
            say("    ends here")
        for line in why_lines(links[-2:], whole=False) if links else ():
            say(line)


def completed(incomplete: str) -> list[str]:
    """Names of runs that were kept here."""
    ending = f"-{KEPT}"
    kept = (Path(connection.STATE) / "scenarios").glob(f"{incomplete}*{ending}")
    return sorted(path.name.removesuffix(ending) for path in kept)


def _journal(run: str | None, project: Path | None) -> Path:
    """A journal's file: the project's, one that is named, or that of a run that was kept."""
    if run is None:
        return connection.folder(project) / connection.STATE / KEPT
    kept = Path(connection.STATE) / "scenarios" / f"{run}-{KEPT}"
    path = Path(run)
    if path.is_file() or kept.is_file():
        return path if path.is_file() else kept
    there = ", ".join(completed("")[:8]) or "none yet"
    raise ConfigurationError(
        f"there is no run {run!r}", hint=f"caxton run FILE --keep leaves one; kept here: {there}"
    )


def _tables(project: Path | None) -> list[Path]:
    """The project's own protocols, where there is a project."""
    try:
        return list(load(connection.folder(project), {}).protocol_tables())
    except ConfigurationError:
        return []
