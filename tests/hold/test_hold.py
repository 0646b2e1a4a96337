"""Messages that are held: what is stopped, in what order it goes on, what is changed, and what a restart keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bus.harness import Json, Stand, stand
from msgspec import Raw

from caxton.acl import Performative
from caxton.bus.referee_service import RefereeService
from caxton.clock import VirtualClock
from caxton.errors import BreakNotFound, HeldBehind, InvalidFilter, InvalidMessage, NotHeld
from caxton.hold import hold
from caxton.hold.break_points import BreakPoint
from caxton.journal import BreakRow
from caxton.protocols.outcomes import state_names


def frames(runtime: Stand) -> list[Json]:
    """What the cell has been given and was not looked at yet."""
    runtime.bus.settle()
    found = [frame.message for frame in runtime.cell.frames]
    runtime.cell.frames.clear()
    return found


def said(runtime: Stand, name: str, content: object, **more: Any) -> int:
    """The operator informs somebody; the message's number."""
    message = {"performative": "inform", "receiver": name, "content": content, **more}
    return runtime.bus.submit(message).seq


def branches(runtime: Stand, id: str) -> dict[str, str]:
    conversation = runtime.bus.referee_service.known[id]
    return state_names(conversation, runtime.bus.referee_service.library.protocols[conversation.protocol])


async def kinds(runtime: Stand, *wanted: str) -> list[str]:
    await runtime.commit()
    found = [event.kind for event in await runtime.journal.reader.events(limit=1000)]
    return [kind for kind in found if kind in wanted]


async def test_what_a_filter_means_is_held_and_everything_else_goes_its_way(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        point = runtime.hold.add("to:a act:inform", by="operator@local")
        seq = said(runtime, "a", 1)
        said(runtime, "b", 2)
        runtime.ask("a", 3)
        assert [one["content"] for one in frames(runtime)] == [2, 3]
        assert [held.seq for held in runtime.hold] == [seq]
        assert point.hits == 1
        assert [one["content"] for one in await runtime.messages()] == [2, 3]
        (row,) = await runtime.journal.reader.held_now()
        assert (row.seq, row.break_id, row.state) == (seq, "b1", "held")


async def test_a_message_to_several_is_held_whole_and_goes_on_whole(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for name in ("a", "b", "c"):
            runtime.agent(name)
        runtime.hold.add("to:b", by="operator@local")
        message = {"performative": "inform", "receiver": ["a", "b", "c"], "content": 1}
        seq = runtime.bus.submit(message).seq
        assert frames(runtime) == []
        runtime.hold.release(seq)
        assert [one["receiver"] for one in frames(runtime)] == [["a@local", "b@local", "c@local"]] * 3


async def test_released_it_goes_on_once_with_its_id_and_a_later_number(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local")
        told = runtime.bus.submit({"performative": "inform", "receiver": "a", "content": 1})
        went_on = runtime.hold.release(told.seq)
        (frame,) = frames(runtime)
        assert (frame["id"], frame["conversation_id"], frame["content"]) == (told.id, told.conversation_id, 1)
        with pytest.raises(NotHeld):
            runtime.hold.release(told.seq)
        with pytest.raises(NotHeld):
            runtime.hold.drop(told.seq)
        (row,) = await runtime.messages()
        assert (row["seq"], went_on) == (went_on, row["seq"])
        (stored,) = await runtime.journal.reader.held([told.seq])
        assert (stored.state, stored.went_on) == ("released", went_on)
        assert await kinds(runtime, "held", "released") == ["held", "released"]


async def test_in_a_conversation_nothing_overtakes_what_the_same_sender_says_to_the_same(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.hold.add('"first"', by="operator@local")
        first = said(runtime, "a", "first", conversation_id="talk")
        second = said(runtime, "a", "second", conversation_id="talk")
        said(runtime, "b", "to another", conversation_id="talk")
        said(runtime, "a", "elsewhere", conversation_id="other")
        assert [one["content"] for one in frames(runtime)] == ["to another", "elsewhere"]
        assert [(held.seq, held.break_id) for held in runtime.hold] == [(first, "b1"), (second, None)]
        with pytest.raises(HeldBehind, match=str(first)):
            runtime.hold.release(second)
        runtime.hold.release(first)
        assert [one["content"] for one in frames(runtime)] == ["first", "second"]
        assert not len(runtime.hold)


async def test_without_break_points_and_held_messages_nobody_looks_at_messages(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        assert runtime.bus.interceptor is None
        assert runtime.bus.quick
        point = runtime.hold.add("to:a", by="operator@local", most=1)
        assert runtime.bus.interceptor is runtime.hold
        assert not runtime.bus.quick
        seq = said(runtime, "a", 1)
        assert point.ended == "hits"
        said(runtime, "a", 2)
        assert [one["content"] for one in frames(runtime)] == [2]
        runtime.hold.release(seq)
        assert runtime.bus.interceptor is None
        assert runtime.bus.quick
        assert not runtime.hold.points.points
        with pytest.raises(BreakNotFound):
            runtime.hold.remove("b1")


async def test_dropped_it_reaches_nobody_and_its_sender_is_told(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.hold.add("from:~^a$", by="operator@local")
        runtime.ask("a", conversation_id="talk", reply_with="r", protocol="fipa-request")
        runtime.cell.end({"performative": "agree"})
        (held,) = runtime.hold
        assert branches(runtime, "talk") == {"a@local": "requested"}
        seq = runtime.hold.drop(held.seq)
        (told,) = frames(runtime)
        assert (told["sender"], told["performative"]) == ("ams@local", "failure")
        assert told["content"]["error"] == "dropped"
        assert told["content"]["reason"] == "dropped by the operator"
        assert await runtime.letters() == [(seq, "operator@local", "dropped")]
        assert branches(runtime, "talk") != {"a@local": "requested"}
        assert await kinds(runtime, "dropped") == ["dropped"]


async def test_edited_it_is_judged_and_delivered_as_it_is_now(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("from:~^a$", by="operator@local")
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r")
        runtime.cell.end({"performative": "propose", "content": 1, "x_mine": 7})
        (held,) = runtime.hold
        runtime.hold.edit(held.seq, performative=Performative.INFORM, content=Raw(b'{"price":2}'))
        with runtime.bus.clients.expect("talk") as waiter:
            runtime.hold.release(held.seq)
            await runtime.commit()
            got = await waiter.next(0.0)
        assert got is not None
        message = json.loads(got.body)
        assert (message["performative"], message["content"], message["x_mine"]) == ("inform", {"price": 2}, 7)
        assert branches(runtime, "talk") == {"a@local": "done"}
        assert not runtime.bus.counts.violations
        (stored,) = await runtime.journal.reader.held([held.seq])
        assert json.loads(stored.body)["performative"] == "propose"
        assert json.loads(stored.changed)["performative"] == "inform"


async def test_another_receiver_lets_those_go_that_waited_behind(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.hold.add('"one"', by="operator@local")
        one = said(runtime, "a", "one", conversation_id="talk")
        said(runtime, "a", "two", conversation_id="talk")
        runtime.hold.edit(one, receiver="b")
        assert [(frame["content"], frame["receiver"]) for frame in frames(runtime)] == [("two", ["a@local"])]
        runtime.hold.release(one)
        assert [(frame["content"], frame["receiver"]) for frame in frames(runtime)] == [("one", ["b@local"])]


async def test_another_receiver_stands_in_line_by_when_it_was_said(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.hold.add('"held"', by="operator@local")
        for_a = said(runtime, "a", "held for a", conversation_id="talk")
        for_b = said(runtime, "b", "held for b", conversation_id="talk")
        said(runtime, "b", "last", conversation_id="talk")
        runtime.hold.edit(for_a, receiver="b")
        with pytest.raises(HeldBehind, match=str(for_a)):
            runtime.hold.release(for_b)
        runtime.hold.release(for_a)
        runtime.hold.release(for_b)
        assert [frame["content"] for frame in frames(runtime)] == ["held for a", "held for b", "last"]
        assert not len(runtime.hold)


async def test_delayed_it_goes_on_by_itself(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local", most=2)
        first, second = said(runtime, "a", 1, conversation_id="t"), said(runtime, "a", 2, conversation_id="t")
        runtime.hold.delay(first, 5)
        # its time comes before that of what is ahead of it: then it follows at once
        runtime.hold.delay(second, 1)
        clock.advance(4.9)
        assert frames(runtime) == []
        clock.advance(0.2)
        assert [one["content"] for one in frames(runtime)] == [1, 2]
        with pytest.raises(InvalidMessage):
            runtime.hold.add("x", by="operator@local") and runtime.hold.delay(said(runtime, "a", "x"), -1)


async def test_a_clock_that_is_set_changes_no_delay(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local")
        runtime.hold.delay(said(runtime, "a", 1), 5)
        clock.set_by(-60 * 86_400)
        clock.advance(4.9)
        assert frames(runtime) == []
        clock.advance(0.2)
        assert [one["content"] for one in frames(runtime)] == [1]
        runtime.hold.delay(said(runtime, "a", 2), 5)
        clock.set_by(60 * 86_400)
        await runtime.commit()
    clock.set_by(-60 * 86_400)
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        assert len(runtime.hold) == 1
        clock.advance(5.2)
        assert not len(runtime.hold), "no longer than it was meant to be, whatever the clock says"


async def test_deadlines_stop_while_something_is_held_and_go_on_with_what_was_left(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("from:~^a$", by="operator@local")
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        clock.advance(4)
        runtime.cell.end({"performative": "agree"})
        clock.advance(3600)
        (held,) = runtime.hold
        assert branches(runtime, "talk") == {"a@local": "requested"}
        assert not await kinds(runtime, "branch")
        runtime.hold.release(held.seq)
        assert branches(runtime, "talk") == {"a@local": "agreed"}
        assert not runtime.bus.counts.violations


async def test_what_is_left_of_a_deadline_passes_after_the_release(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.hold.add('to:b "other"', by="operator@local")
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        clock.advance(4)
        seq = said(runtime, "b", "other", conversation_id="talk", protocol="fipa-request")
        clock.advance(100)
        runtime.hold.drop(seq)
        clock.advance(5.9)
        assert branches(runtime, "talk")["a@local"] == "requested"
        clock.advance(0.2)
        assert branches(runtime, "talk")["a@local"] != "requested"


async def test_a_held_request_has_as_long_as_it_would_have_had(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local", most=1)
        seq = runtime.ask(
            "a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s"
        )
        (held,) = runtime.hold
        before = held.message.reply_by
        clock.advance(60)
        runtime.hold.release(seq)
        runtime.bus.settle()
        (frame,) = [one.message for one in runtime.cell.frames]
        assert before is not None
        assert frame["reply_by"] > before
        clock.advance(9)
        runtime.cell.end({"performative": "inform"})
        assert branches(runtime, "talk") == {"a@local": "done"}
        assert not runtime.bus.counts.violations


async def test_held_messages_and_break_points_survive_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        point = runtime.hold.add("to:a act:inform", by="operator@local", name="mine")
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        first = said(runtime, "a", "one", conversation_id="t")
        second = said(runtime, "a", "two", conversation_id="t")
        edited = said(runtime, "a", "three", conversation_id="u", x_mine=1)
        runtime.hold.edit(edited, content=Raw(b'"changed"'))
        runtime.hold.delay(edited, 30)
        runtime.hold.release(first)
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        await runtime.commit()
    clock.advance(10)
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        await runtime.bus.referee_service.restore(runtime.journal.reader)
        assert [held.seq for held in runtime.hold] == [second, edited]
        assert [(one.id, one.name, one.hits) for one in runtime.hold.points.on] == [(point.id, "mine", 3)]
        assert runtime.bus.referee_service.standing.keys() == {"t", "u"}
        assert runtime.bus.low_water() < second
        runtime.hold.release(second)
        clock.advance(20)
        contents = [(one["content"], one.get("x_mine")) for one in frames(runtime)]
        assert contents == [("two", None), ("changed", 1)]
        assert not len(runtime.hold)
        runtime.hold.remove("mine")
        assert runtime.hold.add("to:a", by="operator@local").id == "b2"


async def test_a_break_point_whose_filter_is_not_taken_any_more_ends_at_the_start(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local")
        held = said(runtime, "a", 1)
        # as a version wrote it whose regular expressions looked around
        body = msgspec.json.encode(BreakPoint("b1", "~(?<=a)b", "operator@local", 1, hits=1)).decode()
        runtime.journal.batch.records.append(BreakRow("b1", body))
        await runtime.commit()
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        assert not runtime.hold.points.points
        await runtime.commit()
        ended = [one for one in await runtime.journal.reader.events(limit=1000) if one.kind == "break_ended"]
        assert [json.loads(one.body or b"{}")["why"] for one in ended] == ["filter"]
        runtime.hold.release(held)
        assert [one["content"] for one in frames(runtime)] == [1]
        assert runtime.hold.add("to:a", by="operator@local").id == "b2"


async def test_a_clock_that_stood_still_stands_where_it_was_after_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("from:~^a$", by="operator@local", most=1)
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
        clock.advance(4)
        runtime.cell.end({"performative": "agree"})
        await runtime.commit()
    clock.advance(1000)
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        await runtime.bus.referee_service.restore(runtime.journal.reader)
        (held,) = runtime.hold
        runtime.hold.release(held.seq)
        assert branches(runtime, "talk") == {"a@local": "agreed"}
        deadline = runtime.bus.referee_service.known["talk"].branches["a@local"].deadline_us
        await runtime.commit()
    clock.advance(3)
    async with stand(tmp_path, clock) as runtime:
        # nothing of it was written down meanwhile: it is judged again
        referee_service: RefereeService = runtime.bus.referee_service
        await referee_service.restore(runtime.journal.reader)
        assert branches(runtime, "talk") == {"a@local": "agreed"}
        assert referee_service.known["talk"].branches["a@local"].deadline_us == deadline
        assert not referee_service.standing


async def test_the_platforms_own_messages_are_never_held(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("", by="operator@local")
        said(runtime, "timer", {"after_ms": 1})
        runtime.ask("nobody")
        held = list(runtime.hold)
        assert [one.message.receiver for one in held] == [["nobody@local"]]
        runtime.hold.release(held[0].seq)
        assert await runtime.letters() != []


async def test_a_full_hold_stops_no_more_and_what_would_overtake_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.most = 2
        runtime.hold.add("to:a", by="operator@local")
        for number in range(2):
            said(runtime, "a", number, conversation_id="talk")
        late = said(runtime, "a", "late", conversation_id="talk")
        said(runtime, "a", "elsewhere", conversation_id="other")
        assert [one["content"] for one in frames(runtime)] == ["elsewhere"]
        assert not runtime.hold.points.on
        assert (late, "a@local", "held_full") in await runtime.letters()
        assert await kinds(runtime, "break_ended") == ["break_ended"]
        runtime.hold.release_some([held.seq for held in runtime.hold])
        assert [one["content"] for one in frames(runtime)] == [0, 1]


async def test_what_is_held_is_bounded_by_the_length_of_its_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "HELD_BYTES_MAX", 20_000)
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local")
        for _ in range(10):
            said(runtime, "a", "x" * 3_500)
        lengths = [len(held.original) for held in runtime.hold]
        assert sum(lengths[:-1]) < 20_000 <= sum(lengths)
        assert not runtime.hold.points.on


async def test_the_time_to_live_stands_still_while_something_is_held(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("from:~^a$", by="operator@local")
        runtime.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r")
        runtime.cell.end({"performative": "agree"})
        clock.advance(86_400)
        (held,) = runtime.hold
        assert branches(runtime, "talk") == {"a@local": "requested"}
        runtime.hold.release(held.seq)
        clock.advance(290)
        assert branches(runtime, "talk") == {"a@local": "agreed"}
        clock.advance(11)
        assert branches(runtime, "talk") == {"a@local": "expired"}, "and goes on afterwards"


async def test_a_filter_that_no_message_can_meet_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        for text in ("state:open", "is:open", "nosuch:x"):
            with pytest.raises(InvalidFilter):
                runtime.hold.add(text, by="operator@local")
        runtime.hold.add("to:a", by="operator@local", name="mine")
        with pytest.raises(InvalidMessage):
            runtime.hold.add("to:b", by="operator@local", name="mine")


async def test_a_break_point_ends_when_its_time_is_over(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as runtime:
        runtime.agent("a")
        runtime.hold.add("to:a", by="operator@local", for_s=5)
        clock.advance(5.1)
        said(runtime, "a", 1)
        assert [one["content"] for one in frames(runtime)] == [1]
        assert runtime.bus.interceptor is None
        assert await kinds(runtime, "break_ended") == ["break_ended"]
