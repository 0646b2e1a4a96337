"""Writes a recording: a scenario, and beside it what its agents remembered when it began.

In: a project with its journal, what is wanted of it. Out: a `Recording`, and in words what of it may be otherwise.
Nothing is asked of a daemon, so it does not matter whether one runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from caxton.agents import AgentConfig
from caxton.bus.platform_agent import FIRST_GUEST_NUMBER
from caxton.config import Project
from caxton.errors import ConfigurationError, InvalidState
from caxton.journal import AgentRow, Reader, StoredTurn
from caxton.journal.memory import MemoryDisk
from caxton.journal.moment import Until, moment
from caxton.presentation.names import short
from caxton.presentation.text import plural
from caxton.protocols import Legality, Referee, library
from caxton.protocols.outcomes import outcome, state
from caxton.protocols.record import stored_message
from caxton.scenario.memory_file import write_memory
from caxton.scenario.recording import steps
from caxton.scenario.recording.redaction import Redaction
from caxton.scenario.recording.story import MOST, PLATFORM, Said, Story, story
from caxton.scenario.recording.world import answers as answered
from caxton.scenario.recording.world import offers
from caxton.scenario.toml_text import inline, key, quoted

JOURNAL: Final = "journal.db"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded: conversations, what was said since a time in microseconds since 1970, or both; what is
    replaced in it; where the file is to be, and what it is called."""

    path: Path
    conversations: Sequence[str] = ()
    since_us: int | None = None
    redact: Sequence[str] = ()

    @property
    def memory(self) -> Path:
        """Where memories are."""
        return self.path.with_suffix(".memory")


@dataclass(frozen=True, slots=True)
class Recording:
    """The texts of the two files, the second only where an agent had a memory; `builds` are modules that have to lie
    beside them; `notes` say what may be otherwise than it was."""

    text: str
    memory: str | None
    messages: int
    outside: int
    builds: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: Sequence[str] = ()


async def record(project: Project, wanted: Wanted) -> Recording:
    """Record; raises ConversationNotFound, ConfigurationError, JournalError."""
    path = project.state / JOURNAL
    if not path.is_file():
        raise ConfigurationError(f"there is no journal at {path}", hint="start the project: caxton up")
    reader = await Reader.open(path, alone=True)
    try:
        platform = project.config.platform
        told = await story(reader, platform, wanted.conversations, wanted.since_us)
        return await _Recorder(project, wanted, reader, told).record()
    finally:
        await reader.close()


class _Recorder:
    """One recording."""

    def __init__(self, project: Project, wanted: Wanted, reader: Reader, told: Story) -> None:
        self._project = project
        self._wanted = wanted
        self._reader = reader
        self._told = told
        self._platform = project.config.platform
        self._redaction = Redaction(wanted.redact)
        self._notes = list(told.gaps)

    async def record(self) -> Recording:
        said = self._told.said
        if not any(one.outside for one in said):
            raise InvalidState(
                "nothing in it was said from outside, so nothing could set it going again",
                hint="record the conversation that it began with, or a longer time",
            )
        asked = {short(name, self._platform) for one in said for name in one.message.receiver}
        world = sorted(asked & {*self._project.config.outward()})
        open_calls = len(
            {one.seq for one in said if self._asks(one, world)} - {one.row.cause for one in said}
        )
        if open_calls:
            self._notes.append(
                f"{plural(open_calls, 'question')} to {', '.join(world)} had no answer by then"
            )
        agents = {row.no: row for row in await self._reader.agents()}
        parts = self._parts(agents)
        taken = await asyncio.to_thread(self._moment, parts)
        try:
            self._learn(taken)
            script = steps.Steps(
                said, self._platform, content=self._redaction.content, text=self._redaction.text
            )
            ends = [*self._ends(script), await self._broken()]
            memory = self._memory(taken)
            revisions = {row.no: row.sha256 for row in await self._reader.revisions()}
            tables, builds = self._agents(agents, parts, revisions)
            await self._foreign(parts)
        finally:
            taken.close()
        head = self._head(memory is not None)
        clean = self._redaction.content
        answers = [*offers(said, world, self._platform), *answered(said, world, self._platform, clean)]
        text = "\n".join([head, *tables, *answers, *script.sent(), *script.expected(), *ends])
        outside = sum(one.outside for one in said)
        return Recording(text, memory, len(said), outside, builds, self._notes)

    def _asks(self, one: Said, world: Collection[str]) -> bool:
        """Whether a message asks the world something."""
        names = {short(name, self._platform) for name in one.message.receiver}
        return one.message.performative == "request" and bool(names & {*world})

    # ------------------------------------------------------------------ memories

    def _parts(self, agents: Mapping[int, AgentRow]) -> dict[int, StoredTurn]:
        """The agents that take part, by number, each with its first turn in it."""
        parts: dict[int, StoredTurn] = {}
        for turn in self._told.turns:
            # what has no revision is an agent of the platform's own, such as an effect
            if turn.agent_no >= FIRST_GUEST_NUMBER and turn.revision_no and turn.agent_no in agents:
                first = parts.get(turn.agent_no)
                if first is None or turn.started_us < first.started_us:
                    parts[turn.agent_no] = turn
        return parts

    def _moment(self, parts: Mapping[int, StoredTurn]) -> MemoryDisk:
        until = {no: Until((turn.put_back_at or turn.seq) - 1, turn.started_us) for no, turn in parts.items()}
        found = moment(self._project.state / JOURNAL, until, from_inputs=self._redaction.on)
        for name, why in found.inexact.items():
            who = "agents" if name == "*" else short(name, self._platform)
            self._notes.append(f"{who} may not remember what they did then: {why}")
        return found.disk

    def _learn(self, disk: MemoryDisk) -> None:
        for one in self._told.said:
            self._redaction.learn(one.message.content)
        for row in disk.rows()["message"]:
            self._redaction.learn(msgspec.json.decode(row[6]).get("content"))
        for row in disk.rows()["snapshot"]:
            if self._redaction.is_in(row[5]):
                raise InvalidState(
                    f"the state of agent {row[0]} that the journal keeps has a value that must not leave, and "
                    "the journal does not have all from which it was made",
                    hint="record an earlier conversation, or a project in which it was never said",
                )

    def _memory(self, disk: MemoryDisk) -> str | None:
        rows = disk.rows()
        if not rows["message"] and not any(row[5] for row in rows["snapshot"]):
            return None
        at_us = self._told.said[0].row.at_us
        return write_memory(disk, self._platform, at_us, self._redaction.content, self._redaction.elsewhere)

    # ------------------------------------------------------------------ what is written

    def _head(self, remembers: bool) -> str:
        said = self._told.said
        at = datetime.fromtimestamp(said[0].row.at_us / 1e6, UTC)
        ids = dict.fromkeys(one.message.conversation_id for one in said if one.outside)
        of = ", ".join(self._redaction.text(id) for id in list(ids)[:3]) + (", …" if len(ids) > 3 else "")
        of = of.splitlines()[0]
        lines = [
            f"# Recorded from {of}, as it was on {at:%Y-%m-%d at %H:%M:%S} UTC.",
            "format = 1",
            f"name = {quoted(self._wanted.path.stem)}",
        ]
        if remembers:
            lines.append(f"memory = {quoted(self._wanted.memory.name)}")
        here = self._wanted.path.resolve().parent
        if not here.is_relative_to(self._project.folder.resolve()):
            lines.append(f"project = {quoted(os.path.relpath(self._project.folder.resolve(), here))}")
        return "".join(f"{line}\n" for line in lines)

    def _agents(
        self,
        agents: Mapping[int, AgentRow],
        parts: Mapping[int, StoredTurn],
        revisions: Mapping[int, str],
    ) -> tuple[list[str], dict[str, str]]:
        """Tables of agents that caxton.toml does not say, or says otherwise, and the modules that they need."""
        tables: list[str] = []
        builds: dict[str, str] = {}
        for no, first in parts.items():
            row = agents[no]
            name = short(row.name, self._platform)
            if row.state == "removed":
                self._notes.append(f"{name} is no agent any more: {key(name)} must be in caxton.toml")
                continue
            config = msgspec.json.decode(row.config, type=AgentConfig)
            table = self._project.config.agents.get(name)
            if (
                table is not None
                and dict(table.settings) == config.settings
                and table.profile == config.profile
            ):
                continue
            said: dict[str, Any] = {}
            if table is None:
                sha256 = revisions.get(first.revision_no, "")
                builds[f"{self._wanted.path.stem}.{name}.wasm"] = sha256
                said["wasm"] = f"{self._wanted.path.stem}.{name}.wasm"
            else:
                said["wasm"] = os.path.relpath(
                    (self._project.folder / table.wasm).resolve(), self._wanted.path.resolve().parent
                )
            if config.settings:
                said["settings"] = self._redaction.elsewhere(config.settings)
            if config.profile != "standard":
                said["profile"] = config.profile
            lines = "".join(f"{name_} = {inline(value)}\n" for name_, value in said.items())
            tables.append(f"[agents.{key(name)}]\n{lines}")
        return tables, builds

    def _ends(self, script: steps.Steps) -> Iterator[str]:
        """How the conversations ended, judged once more."""
        known = library(self._project.protocol_tables())
        referee = Referee(known, silence_ends=False)
        last_us: dict[str, int] = {}
        for one in self._told.said:
            recorded = stored_message(one.seq, one.row.body)
            if recorded.message is not None and not _of_platform(one, self._platform):
                referee.judge(recorded.message, recorded.at_us, recorded.proxy_of)
                last_us[recorded.conversation_id] = recorded.at_us
        sent_us = max(one.row.at_us for one in self._told.said if one.outside)
        for id, conversation in referee.conversations.items():
            called = script.conversation(id)
            protocol = known.of(conversation)
            if called is None or protocol is None or conversation.open > 0:
                continue
            within_s = (last_us[id] - sent_us) / 1e6 * 1.5 + 10
            yield steps.ended(
                called, state(conversation, protocol), outcome(conversation, protocol), within_s
            )

    async def _broken(self) -> str:
        """How much of it broke its protocol, or could not be handled."""
        seqs = {one.seq for one in self._told.said}
        marks = await self._reader.marks(sorted(seqs))
        letters = await self._reader.dead_letters(before_seq=max(seqs) + 1, limit=MOST)
        return steps.broken(
            sum(mark.legality == Legality.VIOLATION for mark in marks),
            sum(letter.seq in seqs for letter in letters),
        )

    async def _foreign(self, parts: Mapping[int, StoredTurn]) -> None:
        """Say where agents did something else meanwhile: it is not recorded, and they may remember it."""
        own = {turn.seq for turn in self._told.turns}
        last = max(own, default=0)
        others = 0
        for first in parts.values():
            turns = await self._reader.turns(
                agent=first.agent, after_seq=first.seq, before_seq=last, limit=1000
            )
            others += sum(turn.seq not in own for turn in turns)
        if others:
            self._notes.append(
                f"its agents had {plural(others, 'turn')} on other messages meanwhile, which are not recorded"
            )


def _of_platform(one: Said, platform: str) -> bool:
    names = {short(name, platform) for name in (one.message.sender, *one.message.receiver)}
    return bool(names & {*PLATFORM})
