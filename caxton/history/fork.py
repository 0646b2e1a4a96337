"""What comes of a moment when something in it is changed: a side world that goes on from there.

In: a project's journal, a message, what is changed in it. Out: the conversation as it goes on from that message.
Memories are made again by replay, as after a start; whoever had not handled a message by then gets it again. The world
is one process on virtual time: nothing that is said there is on the bus, and the journal is only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import msgspec

from caxton import exact_numbers
from caxton.acl import read_draft
from caxton.acl.identifier import qualified
from caxton.agents import AgentConfig
from caxton.bus.platform_agent import FIRST_GUEST_NUMBER
from caxton.config import Config, Project
from caxton.errors import AgentNotFound, ConfigurationError, MessageNotFound
from caxton.history.reading import bodies, find, opened
from caxton.journal import HANDLED, AgentRow, Reader, StoredMessage, StoredTurn
from caxton.journal.memory import MemoryDisk
from caxton.journal.moment import Talks, Until, fill, moment
from caxton.sandbox.compile.module_cache import ModuleCache
from caxton.scenario.contents import is_list
from caxton.scenario.recording.story import MOST, story
from caxton.scenario.simulated import SimulatedHost
from caxton.scenario.suite import KEPT
from caxton.schemas.messages import ConversationDetail, MessageBody
from caxton.simulation.agents import Agent
from caxton.simulation.past import settle
from caxton.simulation.system import runtime

EDITABLE: Final = (
    "performative",
    "receiver",
    "content",
    "protocol",
    "language",
    "ontology",
    "reply_with",
    "in_reply_to",
    "reply_by",
)
QUIET_S: Final = 5.0
"""It has come to its end when nothing was said for so long."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise: what stands at paths of the message (`content.price`), and builds by agent."""

    edit: Mapping[str, Any] = field(default_factory=dict[str, Any])
    builds: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


class Forked(NamedTuple):
    """How it went on. `at` is the last message that both have, `before` the conversation as it was; `said` is
    everything that was said since in the side world, `notes` what may be otherwise than it was."""

    at: int
    before: Sequence[MessageBody]
    conversation: ConversationDetail
    said: Sequence[MessageBody]
    notes: Sequence[str]

    def json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return self._asdict()


def fork(
    project: Project, conversation: str, at: str, change: Change, *, seconds: float, seed: int = 0
) -> Forked:
    """Go back to that message of the conversation and run on from there, for so much virtual time at the most.

    Raises ConversationNotFound, MessageNotFound, AgentNotFound, InvalidMessage and InvalidModule.
    """
    past = asyncio.run(_past(project, conversation, at))
    disk = past.disk
    try:
        if change.edit:
            fill(disk, {"message": [_edited(past.row, change.edit, project.config.platform)]})
        settle(disk, _agents(project, past, change.builds), project.config.platform, past.row.at_us)
        said: dict[str, Any] = {
            **project.config.model_dump(exclude_unset=True),
            "agents": {},
            "effects": {},
            "http": {},
            "models": {},
            "tools": {},
            "a2a": {},
        }
        said.pop("budgets", None)
        side = Project(project.folder, Config.model_validate(said), project.sources)
        with runtime(side, seed=seed, disk=disk, start_us=past.at_us + 1) as system:
            host = SimulatedHost(system)
            ended = host.quiet(QUIET_S, seconds)
            notes = list(past.notes)
            if not ended:
                notes.append("it had not come to its end when the time was over: --for gives it more")
            found = host.conversation(conversation)
            assert found is not None
            return Forked(past.upto, past.before, found, host.messages(), notes)
    finally:
        disk.close()


class _Past(NamedTuple):
    """A moment, and what is known of it."""

    disk: MemoryDisk
    row: StoredMessage
    upto: int
    at_us: int
    agents: Mapping[str, tuple[AgentRow, str]]
    """By local name the row, and the sha256 of the build that it had."""
    before: Sequence[MessageBody]
    notes: Sequence[str]


async def _past(project: Project, conversation: str, at: str) -> _Past:
    path = project.state / KEPT
    async with opened(path) as reader:
        row = await find(reader, at)
        told = await story(reader, project.config.platform, [conversation])
        if row.seq not in {one.seq for one in told.said if one.message.conversation_id == conversation}:
            raise MessageNotFound(
                f"message {at[:64]} is none of conversation {conversation[:200]}",
                hint=f"its messages: caxton conv show {conversation[:200]}",
            )
        siblings = await reader.said([row.cause], MOST) if row.cause else []
        same = [one.seq for one in siblings if one.at_us == row.at_us and one.seq >= row.seq]
        upto = max([row.seq, *same])
        first = told.said[0].seq
        rows = await reader.messages(after_seq=first - 1, before_seq=upto + 1, limit=MOST)
        seqs = {one.seq for one in rows} | {one.seq for one in told.said if one.seq <= upto}
        until, done, builds = await _standing(reader, sorted(seqs), upto, row)
        timers = {int(one.key) for one in await reader.directory("timer")}
        done |= {(seq, no) for seq, no in until.waits if seq in timers}
        before = await bodies(reader, await reader.messages(conversation=conversation, limit=MOST))
        agents = {
            one.name.partition("@")[0]: (one, builds[one.no])
            for one in await reader.agents()
            if one.no in until.agents and one.no in builds
        }
    taken = await asyncio.to_thread(moment, path, until.agents, talks=Talks(seqs, done, row.at_us))
    notes = [
        *told.gaps,
        *(f"{name} may not remember what it did then: {why}" for name, why in taken.inexact.items()),
    ]
    return _Past(taken.disk, row, upto, row.at_us, agents, before, notes)


class _Standing(NamedTuple):
    agents: dict[int, Until]
    waits: set[tuple[int, int]]
    """Turns that were not over."""


async def _standing(
    reader: Reader, seqs: Sequence[int], upto: int, row: StoredMessage
) -> tuple[_Standing, set[tuple[int, int]], dict[int, str]]:
    """How far each agent was, which turns were over, and by agent the build that it had."""
    turns = await reader.turns(seqs=seqs, limit=MOST)
    last: dict[tuple[int, str], int] = {}
    for one in await reader.said(seqs, 10 * MOST):
        key = (one.cause, str(msgspec.json.decode(one.body)["sender"]))
        last[key] = max(last.get(key, 0), one.seq)
    revisions = {one.no: one.sha256 for one in await reader.revisions()}
    rows = {one.no: one for one in await reader.agents() if one.created_us <= row.at_us}
    mine: dict[int, list[StoredTurn]] = {}
    for turn in turns:
        mine.setdefault(turn.agent_no, []).append(turn)
    agents: dict[int, Until] = {}
    waits: set[tuple[int, int]] = set()
    done: set[tuple[int, int]] = set()
    builds: dict[int, str] = {}
    for no in {*rows, *mine}:
        places = await reader.places(no, [turn.seq for turn in mine.get(no, ())])
        edge, at_us = upto, row.at_us
        revision = rows[no].revision_no if no in rows else None
        in_order = sorted(
            mine.get(no, ()), key=lambda turn: turn.put_back_at or places.get(turn.seq, turn.seq)
        )
        for number, turn in enumerate(in_order):
            said = last.get((turn.seq, turn.agent or ""), 0)
            over = turn.seq != row.seq and (
                said <= upto if said else turn.started_us + turn.turn_us <= row.at_us
            )
            if not over and no >= FIRST_GUEST_NUMBER:
                edge = (turn.put_back_at or places.get(turn.seq, turn.seq)) - 1
                revision = turn.revision_no if not number else revision
                waits |= {(one.seq, no) for one in in_order[number:]}
                break
            revision = turn.revision_no or revision
            (done if over else waits).add((turn.seq, no))
        if no >= FIRST_GUEST_NUMBER and no in rows and rows[no].state not in ("removed", "platform"):
            agents[no] = Until(edge, at_us)
            if revision in revisions:
                builds[no] = revisions[revision]
    return _Standing(agents, waits), done, builds


def _agents(project: Project, past: _Past, builds: Mapping[str, bytes]) -> dict[str, Agent]:
    """The agents on the builds that they had, or were given."""
    unknown = [name for name in builds if name not in past.agents]
    if unknown:
        known = ", ".join(sorted(past.agents)[:8])
        raise AgentNotFound(f"there was no agent {unknown[0]!r} then", hint=f"agents then: {known}")
    modules = ModuleCache(project.state / "modules")
    found: dict[str, Agent] = {}
    for name, (row, sha256) in past.agents.items():
        config = msgspec.json.decode(row.config, type=AgentConfig)
        module = builds.get(name)
        found[name] = Agent(
            module if module is not None else modules.bytes_of(sha256),
            settings=config.settings,
            limits=config.limits,
            profile=config.profile,
            recover=config.recover,
            wat=module is not None and not module.startswith(b"\0"),
        )
    return found


def _edited(row: StoredMessage, edit: Mapping[str, Any], platform: str) -> tuple[Any, ...]:
    """The row of the message as it is edited; raises ConfigurationError, InvalidMessage."""
    body: dict[str, Any] = exact_numbers.decode(row.body)
    for path, value in edit.items():
        member, *inner = path.split(".")
        if member not in EDITABLE and not member.startswith("x_"):
            raise ConfigurationError(
                f"{member!r} of a message that was said cannot be changed",
                hint=f"what can: {', '.join(EDITABLE)}, and content.PATH",
            )
        body[member] = _put(body.get(member), inner, value, path)
    receivers = body["receiver"]
    named: list[str] = [receivers] if isinstance(receivers, str) else receivers
    body["receiver"] = [qualified(name, platform) for name in named]
    read_draft(exact_numbers.encode({key: body[key] for key in EDITABLE if key in body}))
    new = exact_numbers.encode(body)
    return (row.seq, row.at_us, row.conversation_key, row.cause, row.hops, row.flags & ~HANDLED, new)


def _put(there: Any, path: Sequence[str], value: Any, whole: str) -> Any:
    """The value with another one at a path inside."""
    if not path:
        return value
    if isinstance(there, dict):
        members = cast("dict[str, Any]", there)
        return {**members, path[0]: _put(members.get(path[0]), path[1:], value, whole)}
    if is_list(there) and path[0].isdecimal() and int(path[0]) < len(there):
        place = int(path[0])
        return [*there[:place], _put(there[place], path[1:], value, whole), *there[place + 1 :]]
    raise ConfigurationError(f"nothing is at {whole!r} of that message", hint="see: caxton why MESSAGE")
