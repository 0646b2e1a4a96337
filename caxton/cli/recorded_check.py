"""Recorded messages judged by their protocols: what `caxton check` does.

In: a journal, or a file of messages. Out: for each message its verdict, for each conversation how it stands, as
text or as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from caxton.cli import connection
from caxton.cli.options import Format
from caxton.cli.output.printing import document, listing, paint, plural, safe, say, talk
from caxton.config import load
from caxton.errors import ConfigurationError, Exit
from caxton.journal import Reader, StoredMessage
from caxton.protocols import Answer, Conversation, Protocol, Referee, Verdict, library
from caxton.protocols.clock_pause import Stop, joined, stand
from caxton.protocols.coverage import Coverage
from caxton.protocols.outcomes import aggregate, end_of, outcome, state, state_names
from caxton.protocols.record import Names, Recorded, Unreadable, read_record, stops_of, stored_message
from caxton.protocols.rules import RULES

_SQLITE = b"SQLite format 3\0"
LISTED = 50
"""So many conversations are listed one by one in text; of more, how many stand how."""


def check(
    file: str | None,
    project: Path | None,
    tables: list[Path],
    platform: str,
    output: Format,
    *,
    coverage: bool,
) -> Exit:
    """Judge the messages of a file or of the project's journal, and print what was found; the exit code."""
    recorded_messages, stops = _messages(file, project, tables, names := Names(platform))
    known = library(tables)
    referee, taken = Referee(known, kept=sys.maxsize, seen=sys.maxsize, silence_ends=False), Coverage(known)
    rows: list[dict[str, Any]] = []
    unreadable: list[Unreadable] = []
    last_us = violations = count = 0
    for recorded in recorded_messages:
        if isinstance(recorded, Unreadable):
            unreadable.append(recorded)
            continue
        count += 1
        _stand(referee, recorded.conversation_id, stops, recorded.at_us)
        row = _judge(referee, taken, names, recorded)
        last_us = max(last_us, recorded.at_us)
        violations += row["verdict"] == "violation"
        if output is Format.JSONL:
            document(row, output)
        elif output is Format.TEXT:
            _tell(row)
        else:
            rows.append(row)
    for conversation in referee.conversations.values():
        _stand(referee, conversation.id, stops, last_us)
        taken.note_ends(referee.pass_time(conversation.id, last_us), conversation)
    found = [_conversation(one, known.tables[one.table], names) for one in referee.conversations.values()]
    if output is Format.JSON:
        whole: dict[str, Any] = {"messages": rows, "conversations": found, "violations": violations}
        whole["unreadable"] = [{"line": one.line, "reason": one.why} for one in unreadable]
        if coverage:
            whole["coverage"] = _coverage(taken)
        document(whole, output)
    elif output is Format.TEXT:
        _summary(found)
        if coverage:
            _tell_coverage(taken)
    for one in unreadable[:LISTED]:
        talk(f"not read: {one.why}")
    counted = [plural(count, "message"), plural(len(found), "conversation"), plural(violations, "violation")]
    if unreadable:
        counted.append(f"{plural(len(unreadable), 'line')} not read")
    talk(", ".join(counted))
    if violations:
        return Exit.PROTOCOL
    return Exit.USAGE if unreadable else Exit.OK


def _stand(referee: Referee, id: str, stops: Mapping[str, list[Stop]], at_us: int) -> None:
    """Count the time for which a conversation stood still, because something of it was held."""
    if id in stops and id in referee.conversations:
        stand(referee.conversations[id], stops[id], at_us)


def _messages(
    file: str | None, project: Path | None, tables: list[Path], names: Names
) -> tuple[Iterator[Recorded | Unreadable], Mapping[str, list[Stop]]]:
    """The messages of what was named, and when conversations stood still; a project's own protocols are added to
    `tables`."""
    if file is None:
        found = load(connection.folder(project))
        tables += found.protocol_tables()
        path = found.state / "journal.db"
        if not path.is_file():
            raise ConfigurationError(
                f"there is no journal at {path}",
                hint="name a file of messages, or start the project: caxton up",
            )
        return _stored(path), _stops(path)
    try:
        if file != "-":
            with open(file, "rb") as opened:
                if opened.read(len(_SQLITE)) == _SQLITE:
                    return _stored(Path(file)), _stops(Path(file))
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
        read = read_record(text, names)
        if '"held_us"' not in text:
            return read, {}
        every = list(read)
        return iter(every), stops_of([one for one in every if isinstance(one, Recorded)])
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"cannot read {file}: {why}", hint="name a file of messages") from None


def _stops(path: Path) -> dict[str, list[Stop]]:
    """When the conversations of a journal stood still."""

    async def read() -> dict[str, list[Stop]]:
        reader = await Reader.open(path, alone=True)
        try:
            return {id: joined(spans) for id, spans in (await reader.stops()).items()}
        finally:
            await reader.close()

    return asyncio.run(read())


def _stored(path: Path) -> Iterator[Recorded]:
    """The messages of a journal, which a daemon may be writing to; what the timer says, and what is said to topics,
    belongs to no protocol."""
    with asyncio.Runner() as runner:
        reader = runner.run(Reader.open(path, alone=True))
        try:
            after = 0
            while rows := runner.run(reader.stream(after, 5_000)):
                after = rows[-1].seq
                for row in rows:
                    if isinstance(row, StoredMessage):
                        recorded = stored_message(row.seq, row.body)
                        if not any(
                            one.startswith(("timer@", "topic:"))
                            for one in (recorded.sender, recorded.receiver[0])
                        ):
                            yield recorded
        finally:
            runner.run(reader.close())


def _judge(referee: Referee, taken: Coverage, names: Names, recorded: Recorded) -> dict[str, Any]:
    """One message with its verdict, as it is printed."""
    row: dict[str, Any] = {
        "line": recorded.line,
        "id": recorded.id,
        "timestamp": recorded.at_us,
        "conversation_id": recorded.conversation_id,
        "performative": recorded.act,
        "sender": names.spelled(recorded.sender),
        "receiver": [names.spelled(name) for name in recorded.receiver],
    }
    message = recorded.message
    if message is None:
        row |= {
            "protocol": None,
            "verdict": "violation",
            "rule": "unknown-act",
            "reason": RULES["unknown-act"],
        }
        row |= {"state": "", "legal": [], "participant": None, "warning": None, "effects": []}
    else:
        verdict = referee.judge(message, recorded.at_us, recorded.proxy_of)
        taken.note(verdict, referee.conversations.get(message.conversation_id))
        row |= _verdict(verdict, names)
    conversation = referee.conversations.get(recorded.conversation_id)
    if conversation is None:
        return row | {"branches": {}, "aggregate": None, "conversation_state": None}
    protocol = referee.library.tables[conversation.table]
    return row | _states(conversation, protocol, names)


def _verdict(verdict: Verdict, names: Names) -> dict[str, Any]:
    effects: list[dict[str, Any]] = []
    for effect in verdict.effects:
        if isinstance(effect, Answer):
            effects.append(
                {
                    "what": "answer",
                    "performative": effect.performative.value,
                    "receiver": names.spelled(effect.receiver),
                    "reason": effect.reason,
                    "in_reply_to": effect.in_reply_to,
                }
            )
        else:
            who = names.spelled(effect.participant)
            effects.append(
                {"what": "ended", "participant": who, "state": effect.state, "reason": effect.reason}
            )
    return {
        "protocol": verdict.protocol,
        "verdict": verdict.legality.value,
        "rule": verdict.rule,
        "reason": verdict.sentence,
        "state": verdict.state,
        "legal": list(verdict.legal),
        "participant": names.spelled(verdict.participant) if verdict.participant else None,
        "warning": verdict.warning,
        "effects": effects,
    }


def _states(conversation: Conversation, protocol: Protocol, names: Names) -> dict[str, Any]:
    return {
        "branches": {names.spelled(name): one for name, one in state_names(conversation, protocol).items()},
        "aggregate": aggregate(conversation, protocol).value,
        "conversation_state": state(conversation, protocol),
    }


def _conversation(conversation: Conversation, protocol: Protocol, names: Names) -> dict[str, Any]:
    states = _states(conversation, protocol, names)
    return {
        "id": conversation.id,
        "protocol": protocol.name,
        "initiator": names.spelled(conversation.initiator),
        "state": states["conversation_state"],
        "aggregate": states["aggregate"],
        "outcome": outcome(conversation, protocol),
        "round": conversation.rounds.number,
        "branches": [
            {
                "participant": names.spelled(name),
                "state": states["branches"][names.spelled(name)],
                "end": end_of(protocol, branch),
                "awarded": branch.awarded,
                "round": branch.round,
                "reason": branch.reason,
            }
            for name, branch in conversation.branches.items()
        ],
    }


def _tell(row: dict[str, Any]) -> None:
    """Say what is worth saying about a message: a violation, what was ignored, what the platform is to do."""
    said = f"line {row['line']}: {row['sender']} {row['performative']} → {', '.join(row['receiver'])}"
    where = f"{row['conversation_id']} {row['state']}".strip()
    if row["verdict"] == "violation":
        mark = paint("violation", "bold red")
        legal = ", ".join(row["legal"]) or "nothing"
        say(f"{mark} {safe(said)}  ({safe(where)})")
        say(f"  {row['rule']}: {row['reason']}; legal here: {legal}")
    elif row["verdict"] == "ignored":
        say(f"ignored {safe(said)}  ({safe(where)})\n  {row['rule']}: {row['reason']}")
    elif row["effects"]:
        say(f"{safe(said)}  ({safe(where)})")
    for effect in row["effects"]:
        if effect["what"] == "ended":
            say(safe(f"  time: {effect['participant']} {effect['state']}, {effect['reason']}"))
        else:
            act = f"{effect['performative']} → {effect['receiver']}"
            say(safe(f"  the platform answers {act}, reason {effect['reason']}"))
    if row["warning"]:
        say(f"warning {safe(said)}\n  {row['warning']}")


def _summary(found: list[dict[str, Any]]) -> None:
    """How each conversation stands; of many, how many stand how."""
    if len(found) <= LISTED:
        listing(
            found,
            Format.TEXT,
            [
                ("CONVERSATION", lambda one: one["id"]),
                ("PROTOCOL", lambda one: one["protocol"]),
                ("STATE", lambda one: one["state"]),
                ("OUTCOME", lambda one: one["outcome"]),
                (
                    "BRANCHES",
                    lambda one: ", ".join(
                        f"{each['participant']} {each['state']}" for each in one["branches"]
                    ),
                ),
            ],
            "no conversation with a protocol that is known here",
        )
        return
    counts = Counter((one["protocol"], one["state"], one["outcome"]) for one in found)
    listing(
        counts.most_common(),
        Format.TEXT,
        [
            ("CONVERSATIONS", lambda one: one[1]),
            ("PROTOCOL", lambda one: one[0][0]),
            ("STATE", lambda one: one[0][1]),
            ("OUTCOME", lambda one: one[0][2]),
        ],
        "",
    )


def _coverage(taken: Coverage) -> dict[str, Any]:
    return {
        name: {
            "exercised": [one._asdict() | {"times": times} for one, times in table.items() if times],
            "never": [one._asdict() for one, times in table.items() if not times],
        }
        for name, table in taken.table().items()
    }


def _tell_coverage(taken: Coverage) -> None:
    for name, table in taken.table().items():
        used = sum(1 for times in table.values() if times)
        say(f"\n{name}: {used} of {len(table)} transitions exercised")
        for one, times in table.items():
            if used:
                say(f"  {str(times or 'never').rjust(5)}  {one}")
