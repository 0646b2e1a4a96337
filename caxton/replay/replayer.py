"""Replays: recorded conversations, run once more against a build.

In: ids of conversations, and which build of which agent; none means the one that each agent runs. Out: a report. One
replay at a time: it works on the processors that the running agents need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from caxton.acl.message import read_message
from caxton.agents import AgentConfig, AgentRecord, Registry, Revision, Supervisor
from caxton.bus import Bus
from caxton.clock import Clock
from caxton.effects.live import REPLAY_TALK, LiveAnswer
from caxton.errors import ConfigurationError, ConversationNotFound, InvalidModule
from caxton.replay.asked import asked_anew, says_the_same
from caxton.replay.diff import differences
from caxton.replay.joining import beside, joined
from caxton.replay.judge import illegal_now
from caxton.replay.live import LiveQuestions, Outside
from caxton.replay.normalise import Said, comparable, read_outcome
from caxton.replay.past_settings import changed_since
from caxton.replay.recorded import RecordedConversation, RecordedTurn, recorded, whole
from caxton.replay.report import (
    CHANGED,
    ILLEGAL,
    NOT_RUN,
    SAME,
    TRAPPED,
    AgentReport,
    Report,
    Side,
    TurnReport,
    total,
)
from caxton.replay.side_instance import Rerun, SideInstance
from caxton.replay.time_box import TimeBox
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.profiles import Profile
from caxton.turn_status import DISCARDED, REDELIVERED, STATUS_NAMES

MOST_CONVERSATIONS: Final = 1_000


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed: these conversations, or the `last` ones; of one agent (local name) or of all.

    `wasm` is a build to try in place of the one that the agent runs. `timeout_s` bounds the time; what was not run by
    then is said. `baseline`: run the build of then as well, for its memory.
    """

    conversations: list[str] = []
    last: int = 0
    agent: str | None = None
    wasm: bytes | None = None
    wat: bool = False
    timeout_s: float = 60.0
    baseline: bool = False
    live: bool = False
    """Ask for real what has no answer in the record."""


class Replayer:
    """Runs replays, one at a time."""

    def __init__(self, *, bus: Bus, agents: Supervisor, compiler: Compiler, clock: Clock) -> None:
        self._bus = bus
        self._journal = bus.journal
        self._registry: Registry = agents.registry
        self._instances = agents.instances
        self._compiler = compiler
        self._clock = clock
        self._one = asyncio.Lock()
        self._world: Outside = _NothingOutside()

    def knows_world(self, world: Outside) -> None:
        """Which agents stand for something outside, what a question to one may cost, and how it is asked."""
        self._world = world

    async def replay(self, wanted: ReplayRequest) -> Report:
        """Run what is wanted.

        Raises ConversationNotFound, AgentNotFound, ConfigurationError where it is not clear which agent the build is
        of, InvalidModule or DeploymentError where the build does not come up, CellLost.
        """
        async with self._one:
            box = TimeBox(self._clock, wanted.timeout_s)
            await self._journal.written()
            record = self._registry.find(wanted.agent) if wanted.agent is not None else None
            talks = await self._talks(wanted, record)
            records = self._records(talks, wanted, record)
            build = await self._build(wanted, records[0]) if wanted.wasm is not None and records else None
            return await self.against(
                talks,
                {one: build or _running(one) for one in records},
                box=box,
                baseline=wanted.baseline,
                live=self._talk() if wanted.live else None,
            )

    async def try_build(
        self,
        record: AgentRecord,
        build: Revision,
        config: AgentConfig,
        *,
        pins: Sequence[str],
        last: int,
        timeout_s: float,
        live: bool = False,
    ) -> Report:
        """Run the pinned and then the newest conversations of an agent against a build that it may get, told as it will
        be, for `timeout_s` of processor time.

        A turn that the build that runs would do in the same way is the same, whatever was recorded: that change was
        taken in before. Pinned conversations that the journal does not have any more are passed over.
        """
        async with self._one:
            box = TimeBox(self._clock, timeout_s, processor=True)
            await self._journal.written()
            reader, name = self._journal.reader, record.endpoint.name
            latest = await reader.conversations(agent=name, limit=last) if last else []
            ids = dict.fromkeys([*pins, *(one.id for one in latest)])
            found = [await recorded(reader, id, name) for id in ids]
            talks = [talk for talk in whole(found) if talk.turns]
            report = await self.against([], {}, box=box, baseline=False)
            asking = self._talk() if live else None
            for part in (
                [talk for talk in talks if talk.id in pins],
                [talk for talk in talks if talk.id not in pins],
            ):
                if part:
                    more = await self.against(
                        part, {record: build}, box=box, baseline=False, config=config, live=asking
                    )
                    report = joined(report, more)
            differ = {turn.conversation_id for turn in report.turns if turn.verdict not in (SAME, NOT_RUN)}
            if record.revision is None or not differ:
                return report
            running = await self.against(
                [talk for talk in talks if talk.id in differ],
                {record: record.revision},
                box=box,
                baseline=False,
            )
            return beside(report, running)

    async def against(
        self,
        talks: Sequence[RecordedConversation],
        builds: dict[AgentRecord, Revision],
        *,
        box: TimeBox,
        baseline: bool,
        config: AgentConfig | None = None,
        live: str | None = None,
    ) -> Report:
        """Run the turns of some agents, each against a build, told what it is told now or `config`; `live` is the
        conversation in which is asked for real what they ask anew."""
        agents: list[AgentReport] = []
        turns: list[TurnReport] = []
        for record, build in builds.items():
            name = record.endpoint.name
            own = [turn for talk in talks for turn in talk.turns if turn.agent == name]
            if not own:
                continue
            told = config or record.config
            asking = LiveQuestions(self._world, name, told.limits, live, own, box) if live else None
            runs = await self._runs(record, build, own, box, told, asking)
            results = _results(runs)
            old: dict[int, Rerun] = {}
            if baseline:
                old = await self._baseline(record, build, own, box)
            for talk in talks:
                of_talk = [turn for turn in talk.turns if turn.agent == name]
                turns += self._compared(talk, of_talk, results, old, record, told, asking)
            for run in runs:
                last = run.results[max(run.results)].now if run.results else None
                agents.append(
                    AgentReport(
                        agent=record.name,
                        revision=build.sha256,
                        start=run.start,
                        stumbled=run.stumbled,
                        memory_kib=last.memory_kib if last else None,
                        changed=await changed_since(
                            self._journal.reader, record, min(one.turn.started_us for one in own), told
                        ),
                    )
                )
        turns.sort(key=lambda turn: (turn.seq, turn.agent))
        return Report(
            conversations=[talk.id for talk in talks],
            agents=agents,
            turns=turns,
            totals=total(turns),
            elapsed_ms=box.elapsed_ms,
            timed_out=box.is_over,
        )

    def _talk(self) -> str:
        """The conversation of a replay's questions."""
        return f"{REPLAY_TALK}{self._bus.ids.conversation()}"

    # ------------------------------------------------------------------ what is wanted

    async def _talks(self, wanted: ReplayRequest, record: AgentRecord | None) -> list[RecordedConversation]:
        name = record.endpoint.name if record is not None else None
        reader = self._journal.reader
        ids = list(wanted.conversations)
        if wanted.last:
            latest = await reader.conversations(agent=name, limit=min(wanted.last, MOST_CONVERSATIONS))
            ids += [one.id for one in latest if one.id not in ids]
        talks = [await recorded(reader, id, name) for id in ids]
        for talk in talks:
            # what is only held has not been said yet: one of the last of these is passed over
            if not talk.rows and talk.id in wanted.conversations:
                raise ConversationNotFound(
                    f"nothing of conversation {talk.id!r} is in the journal", hint="see: caxton conv list"
                )
        return [talk for talk in whole(talks) if talk.rows]

    def _records(
        self, talks: Sequence[RecordedConversation], wanted: ReplayRequest, record: AgentRecord | None
    ) -> list[AgentRecord]:
        """The agents whose turns are to be run; those that were removed have no build any more."""
        if record is not None:
            return [record]
        names = dict.fromkeys(turn.agent for talk in talks for turn in talk.turns)
        found = [one for one in self._registry.agents.values() if one.endpoint.name in names]
        if wanted.wasm is not None and len(found) > 1:
            there = ", ".join(sorted(one.name for one in found))
            raise ConfigurationError(
                f"several agents had turns there, and it is not said whose build this is: {there}",
                hint="name it with --agent",
            )
        return sorted(found, key=lambda one: one.name)

    async def _build(self, wanted: ReplayRequest, record: AgentRecord) -> Revision:
        """The build to try; it gets no number, because nothing of this is written down."""
        assert wanted.wasm is not None
        profile = record.config.profile
        compiled = await self._compiler.compile(wanted.wasm, Profile(profile), wat=wanted.wat)
        return Revision(0, compiled.sha256, profile, compiled.module_path.name)

    # ------------------------------------------------------------------ running and comparing

    async def _runs(
        self,
        record: AgentRecord,
        build: Revision,
        turns: Sequence[RecordedTurn],
        box: TimeBox,
        config: AgentConfig,
        live: LiveQuestions | None = None,
    ) -> list[SideInstance]:
        """Run these turns. Those of pinned conversations that outlived what was removed around them have a run of their
        own, so that later ones meet the state that they met then."""
        trimmed = (await self._journal.reader.memory_since([record.number]))[record.number]
        old = {turn.turn.own_seq for turn in turns if turn.turn.seq <= trimmed}
        runs: list[SideInstance] = []
        for part in (old, {turn.turn.own_seq for turn in turns} - old):
            if part:
                runs.append(
                    SideInstance(self._journal, self._instances, record, build, config, part, box, live)
                )
                await runs[-1].run()
        return runs

    async def _baseline(
        self, record: AgentRecord, build: Revision, turns: Sequence[RecordedTurn], box: TimeBox
    ) -> dict[int, Rerun]:
        """The same turns on the build of then, for what the journal does not have: the memory."""
        numbers = {turn.turn.revision_no for turn in turns}
        old = self._registry.numbered(numbers.pop()) if len(numbers) == 1 else None
        if old is None or old.sha256 == build.sha256:
            return {}
        try:
            return _results(await self._runs(record, old, turns, box, record.config))
        except InvalidModule:
            return {}  # its module is gone; its fuel stands in the journal all the same

    def _compared(
        self,
        talk: RecordedConversation,
        turns: Sequence[RecordedTurn],
        results: dict[int, Rerun],
        old: dict[int, Rerun],
        record: AgentRecord,
        config: AgentConfig,
        live: LiveQuestions | None,
    ) -> list[TurnReport]:
        reports: list[TurnReport] = []
        changed: list[tuple[int, list[Said]]] = []
        for one in turns:
            rerun, before = results.get(one.turn.own_seq), old.get(one.turn.own_seq)
            report, said = self._turn(talk, one, rerun, before, record, config, live)
            reports.append(report)
            if report.verdict == CHANGED and said:
                changed.append((one.turn.seq, said))
        judged = changed and self._bus.referee_mode(_protocol(talk)) != "off"
        wrong = (
            illegal_now(self._bus.referee_service.library, talk.rows, changed, talk.stops) if judged else {}
        )
        return [
            msgspec.structs.replace(report, verdict=ILLEGAL, illegal=wrong[report.seq])
            if report.seq in wrong and report.verdict == CHANGED
            else report
            for report in reports
        ]

    def _turn(
        self,
        talk: RecordedConversation,
        one: RecordedTurn,
        rerun: Rerun | None,
        old: Rerun | None,
        record: AgentRecord,
        config: AgentConfig,
        live: LiveQuestions | None,
    ) -> tuple[TurnReport, list[Said]]:
        turn, asked = one.turn, one.asked
        then = [comparable(message, asked.conversation_id) for message in one.messages]
        status = turn.status % REDELIVERED
        build = self._registry.numbered(turn.revision_no)
        before = Side(
            status=STATUS_NAMES[status], fuel=turn.fuel, memory_kib=old.now.memory_kib if old else None
        )
        report = TurnReport(
            seq=turn.seq,
            agent=record.name,
            conversation_id=talk.id,
            at_us=turn.started_us,
            performative=asked.performative.value,
            sender=asked.sender,
            revision=build.sha256 if build is not None else None,
            verdict=NOT_RUN,
            before=before,
        )
        if rerun is None:
            return report, []
        outcome = read_outcome(
            rerun.now.status,
            rerun.output,
            rerun.now.count,
            asked,
            one.agent,
            config.limits,
            turn.started_us + turn.turn_us,
        )
        asking = live.found(one.turn.own_seq) if live is not None else None
        said = [*outcome.said, *(asking.more if asking is not None else ())]
        now = [each.form for each in said]
        found = differences(then, now)
        same = not found and outcome.status == status
        after = Side(
            status=STATUS_NAMES[outcome.status],
            fuel=rerun.now.fuel,
            memory_kib=rerun.now.memory_kib,
            error=f"{outcome.code}: {outcome.reason}" if outcome.code else None,
        )
        if not same:
            before = msgspec.structs.replace(before, messages=then)
            after = msgspec.structs.replace(after, messages=now)
        asks = asking.asks if asking is not None else asked_anew(then, now, self._world.cost)
        if asks and says_the_same(then, now, self._world.cost):
            # what it asks is told as such
            found = []
        if same:
            verdict = SAME
        elif outcome.status in DISCARDED and status not in DISCARDED:
            verdict = TRAPPED
        else:
            verdict = CHANGED
        return (
            msgspec.structs.replace(
                report, verdict=verdict, before=before, after=after, differences=found, asks=asks
            ),
            said,
        )


def _results(runs: Sequence[SideInstance]) -> dict[int, Rerun]:
    """What several runs came to, by message."""
    return {seq: rerun for run in runs for seq, rerun in run.results.items()}


def _protocol(talk: RecordedConversation) -> str | None:
    """The protocol that a conversation began with."""
    return read_message(talk.rows[0].body).protocol if talk.rows else None


class _NothingOutside:
    """A runtime without effects."""

    def cost(self, name: str, content: bytes) -> None:
        """Nobody stands for anything outside."""

    async def ask(self, agent: str, message: dict[str, Any], to: str, talk: str) -> LiveAnswer:
        """Nobody is asked."""
        raise AssertionError(to)


def _running(record: AgentRecord) -> Revision:
    if record.revision is None:
        raise ConfigurationError(
            f"{record.name} has no build to replay against", hint="name one with --with FILE.wasm"
        )
    return record.revision
