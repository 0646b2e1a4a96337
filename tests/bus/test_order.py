"""First in, first out for each agent and each conversation, whatever the cells do in between."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.turn_status import Status

from .harness import Frame, HandCell, Json, Stand, stand

NAMES = ("a", "b", "c", "d")
TALKS = ("t-1", "t-2", "t-3")

said_line = st.fixed_dictionaries(
    {
        "performative": st.sampled_from(["inform", "request"]),
        "receiver": st.one_of(
            st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
        ),
        "conversation_id": st.sampled_from(TALKS),
    }
)
reply_line: st.SearchStrategy[Json] = st.just({"performative": "inform"})


@dataclass(frozen=True)
class Ask:
    receivers: list[str]
    talk: str
    times: int


@dataclass(frozen=True)
class End:
    cell: int
    said: list[Json]


@dataclass(frozen=True)
class Trap:
    """A turn costs the instance: what else the cell has comes back, then the agent goes on."""

    cell: int


@dataclass(frozen=True)
class Die:
    """The cell dies; another takes its agents."""

    cell: int


step = st.one_of(
    st.builds(
        Ask,
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
        st.sampled_from(TALKS),
        st.integers(1, 6),
    ),
    st.builds(End, st.integers(0, 1), st.lists(st.one_of(said_line, reply_line), max_size=3)),
    st.builds(Trap, st.integers(0, 1)),
    st.builds(Die, st.integers(0, 1)),
)


@dataclass
class Play:
    """Two cells by hand with two agents each, and what their agents were given."""

    runtime: Stand
    room: int
    cells: list[HandCell] = field(default_factory=list)
    handled: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))

    def begin(self) -> None:
        self.cells = [self.runtime.cell, HandCell(self.runtime.bus)]
        for number, name in enumerate(NAMES):
            self.runtime.agent(name, cell=self.cells[number % 2])
        for cell in self.cells:
            cell.link.room = self.room

    def take(self, step: Ask | End | Trap | Die) -> None:
        match step:
            case Ask(receivers, talk, times):
                for _ in range(times):
                    self.runtime.ask(receivers, conversation_id=talk)
            case End(number, said) if self.cells[number].frames:
                cell = self.cells[number]
                self.note(cell, cell.end(*said))
            case Trap(number) if self.cells[number].frames:
                self.trap(self.cells[number])
            case Die(number):
                self.die(number)
            case _:
                pass

    def trap(self, cell: HandCell) -> None:
        frame = cell.fail(Status.TRAP, "unreachable")
        endpoint = cell.link.slots[frame.slot]
        self.note(cell, frame)
        # as a cell does it: everything else for that slot comes back unhandled
        others = [one for one in cell.frames if one.slot == frame.slot]
        for one in others:
            cell.frames.remove(one)
            cell.frames.appendleft(one)
            cell.end(status=Status.UNHANDLED)
        self.runtime.bus.open(endpoint)

    def die(self, number: int) -> None:
        dead = self.cells[number]
        self.runtime.bus.ports.remove(dead.link)
        dead.link.connection_lost(None)
        new = self.cells[number] = HandCell(self.runtime.bus)
        new.link.room = self.room
        for endpoint in dead.link.slots.values():
            endpoint.lose_cell()
            self.runtime.run(endpoint, new)

    def note(self, cell: HandCell, frame: Frame) -> None:
        self.handled[cell.link.slots[frame.slot].name].append(frame)

    def finish(self) -> None:
        while any(cell.frames for cell in self.cells):
            for cell in self.cells:
                if cell.frames:
                    self.note(cell, cell.end())


async def play(folder: Path, room: int, steps: list[Ask | End | Trap | Die]) -> None:
    async with stand(folder) as runtime:
        show = Play(runtime, room)
        show.begin()
        for one in steps:
            show.take(one)
        show.finish()
        said = await runtime.messages()
        meant: dict[str, list[int]] = defaultdict(list)
        for message in said:
            for name in message["receiver"]:
                meant[name].append(message["seq"])
        for name in (f"{one}@local" for one in NAMES):
            got = [frame.seq for frame in show.handled[name]]
            # in the order of admission: so in order for each agent, and for each conversation in it
            assert got == meant[name], name
        assert runtime.pending() == []
        assert runtime.bus.low_water() == runtime.bus.last_seq
        turns = await runtime.turns()
        assert len(turns) == len({(turn.seq, turn.agent_no) for turn in turns})
        assert sum(turn.sent for turn in turns if turn.agent_no >= 16) == len(
            [one for one in said if one["sender"] != "operator@local" and one["sender"] != "ams@local"]
        )
        assert [one["seq"] for one in said] == sorted({one["seq"] for one in said})
        assert all(one["cause"] < one["seq"] for one in said)


@settings(max_examples=examples(80), deadline=None)
@given(room=st.sampled_from([1, 3, 5, 2_048]), steps=st.lists(step, min_size=5, max_size=30))
def test_every_agent_gets_its_messages_once_and_in_order(
    room: int, steps: list[Ask | End | Trap | Die]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), room, steps))


async def test_agents_that_wait_for_room_are_served_in_turn(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        busy, quiet = runtime.agent("busy"), runtime.agent("quiet")
        runtime.cell.link.room = 2
        for _ in range(10):
            runtime.ask("busy")
        runtime.ask("quiet")
        slots = [runtime.cell.end().slot for _ in range(11)]
        assert slots.index(quiet.slot) == 3, "after two that were there, and one more of the busy one"
        assert slots.count(busy.slot) == 10


async def test_a_failure_does_not_overtake_the_message_that_failed(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.agent("a")
        s.bus.submit({"performative": "request", "receiver": "a", "conversation_id": "t"})
        # it writes to somebody who is not there, and to itself
        wish = {"performative": "inform", "receiver": ["nobody", "a"], "conversation_id": "t"}
        s.cell.end(wish)
        seqs = [frame.seq for frame in s.cell.frames]
        assert len(seqs) == 2
        assert seqs == sorted(seqs), "recovery by replay runs turns in the order of their messages"
        assert [frame.message["performative"] for frame in s.cell.frames] == ["inform", "failure"]
