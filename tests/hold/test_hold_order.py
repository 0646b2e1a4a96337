"""Whatever is held, released, dropped, edited or delayed, and however often the daemon starts again: nothing is lost,
nothing comes twice, nothing overtakes, and judging the journal afterwards comes to the same."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from bus.harness import Json, Stand
from bus.harness import stand as standing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.acl.message import read_message
from caxton.clock import VirtualClock
from caxton.errors import HeldBehind
from caxton.journal import HANDLED
from caxton.protocols import Referee, library
from caxton.protocols.clock_pause import joined, stand
from caxton.protocols.outcomes import state_names

NAMES = ("a", "b")
SAY = st.tuples(
    st.just("say"),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["a", "a", "b"]),
    st.sampled_from(["t", "t", "u"]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        SAY,
        SAY,
        SAY,
        st.tuples(st.just("break"), st.sampled_from(['"loud"', '"loud"', "to:b", "", "conv:u"])),
        st.tuples(st.sampled_from(["release", "drop", "delay", "free"]), st.integers(0, 5)),
        st.tuples(st.just("remove")),
        st.tuples(st.just("time"), st.sampled_from([0.5, 3.0, 20.0])),
        st.tuples(st.just("restart")),
    ),
    min_size=6,
    max_size=30,
).map(lambda steps: [("break", '"loud"'), *steps])


class Run:
    """What was said and what has arrived, over all starts."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.came: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.dropped: set[int] = set()
        self.count = 0

    def hear(self, runtime: Stand) -> None:
        """Every turn ends without a word."""
        runtime.bus.settle()
        while runtime.cell.frames:
            message = runtime.cell.frames[0].message
            if message["sender"].startswith("operator"):
                key = (message["sender"], message["receiver"][0], message["conversation_id"])
                self.came[key].append(message["content"]["n"])
            runtime.cell.end()
            runtime.bus.settle()

    def step(self, runtime: Stand, clock: VirtualClock, step: tuple[Any, ...]) -> None:
        match step:
            case ("say", sender, name, talk, loud):
                self.count += 1
                message: Json = {
                    "performative": "request",
                    "protocol": "fipa-request",
                    "receiver": name,
                    "conversation_id": f"{talk}-{sender}",
                    "reply_with": f"r{self.count}",
                    "reply_by": "10s",
                    "content": {"n": self.count, "how": "loud" if loud else "low"},
                }
                runtime.bus.submit(message, sender=f"operator.{sender}")
                key = (f"operator.{sender}@local", f"{name}@local", f"{talk}-{sender}")
                self.said[key].append(self.count)
            case ("break", text):
                runtime.hold.add(text, by="operator@local")
            case ("remove",):
                for point in runtime.hold.points.on[:1]:
                    runtime.hold.remove(point.id)
            case ("time", seconds):
                clock.advance(seconds)
            case (what, nth):
                held = list(runtime.hold)
                if not held:
                    return
                one = held[nth % len(held)]
                if what == "release":
                    try:
                        runtime.hold.release(one.seq)
                    except HeldBehind:
                        assert runtime.hold.ahead(one.message, one.seq) is not None
                elif what == "free":
                    runtime.hold.release_some([one.seq])
                elif what == "delay":
                    runtime.hold.delay(one.seq, nth)
                else:
                    runtime.hold.drop(one.seq)
                    self.dropped.add(int(_number(one.original)))
            case _:
                raise AssertionError(step)
        runtime.bus.settle()
        self.hear(runtime)


def _number(body: bytes) -> int:
    import msgspec

    return int(msgspec.json.decode(body)["content"]["n"])


@given(STEPS)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_order_is_kept_and_nothing_is_lost_or_doubled(steps: list[tuple[Any, ...]]) -> None:
    clock, run = VirtualClock(), Run()
    with tempfile.TemporaryDirectory() as folder:
        parts: list[list[tuple[Any, ...]]] = [[]]
        for step in steps:
            if step[0] == "restart":
                parts.append([])
            else:
                parts[-1].append(step)
        for number, part in enumerate(parts):
            async with standing(Path(folder), clock) as runtime:
                # a violation would be another story: what is said twice to the same is one
                runtime.bus.referee_service.mode_of_all = "warn"
                for name in NAMES:
                    runtime.agent(name)
                await runtime.bus.referee_service.restore(runtime.journal.reader)
                for step in part:
                    run.step(runtime, clock, step)
                if number == len(parts) - 1:
                    for point in list(runtime.hold.points.points):
                        runtime.hold.remove(point)
                    runtime.hold.release_some([held.seq for held in runtime.hold])
                    assert not len(runtime.hold)
                    assert runtime.bus.interceptor is None
                    assert not runtime.bus.referee_service.standing
                run.hear(runtime)
                await runtime.commit()
                if number == len(parts) - 1:
                    await same_again(runtime, clock)
    for key, numbers in run.said.items():
        assert run.came[key] == [one for one in numbers if one not in run.dropped]


async def same_again(runtime: Stand, clock: VirtualClock) -> None:
    """A referee of its own comes to the same over the journal, by its rows and the times of holding alone."""
    referee_service, referee = runtime.bus.referee_service, Referee(library(), seen=0)
    stops = {id: joined(spans) for id, spans in (await runtime.journal.reader.stops()).items()}
    seen: set[str] = set()
    for row in await runtime.journal.reader.messages(limit=100_000):
        message = read_message(row.body)
        assert message.id not in seen
        seen.add(message.id)
        id = message.conversation_id
        if id in referee.conversations and id in stops:
            stand(referee.conversations[id], stops[id], message.timestamp)
        referee.judge(message, message.timestamp)
        assert row.flags & HANDLED or message.receiver
    for id, ours in referee.conversations.items():
        if id in stops:
            stand(ours, stops[id], clock.now_us())
        referee.pass_time(id, clock.now_us() + 1)
        theirs = referee_service.known[id]
        referee_service.referee.pass_time(id, clock.now_us() + 1)
        protocol = referee_service.library.protocols[ours.protocol]
        assert state_names(ours, protocol) == state_names(theirs, protocol)
        deadlines = {name: branch.deadline_us for name, branch in ours.branches.items()}
        assert {name: branch.deadline_us for name, branch in theirs.branches.items()} == deadlines
