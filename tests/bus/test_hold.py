"""Messages that are held: what is stopped, in what order it goes on, what is changed, and what a restart keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from caxton.acl import Performative
from caxton.bus.conduct import Conduct
from caxton.clock import VirtualClock
from caxton.errors import BreakNotFound, HeldBehind, InvalidFilter, InvalidMessage, NotHeld
from caxton.protocols.conversation import state_names

from .stand import Json, Stand, stand


def frames(house: Stand) -> list[Json]:
    """What the cell has been given and was not looked at yet."""
    house.bus.settle()
    found = [frame.message for frame in house.cell.frames]
    house.cell.frames.clear()
    return found


def said(house: Stand, name: str, content: object, **more: Any) -> int:
    """The operator informs somebody; the message's number."""
    message = {"performative": "inform", "receiver": name, "content": content, **more}
    return house.bus.submit(message).seq


def branches(house: Stand, id: str) -> dict[str, str]:
    conversation = house.bus.conduct.known[id]
    return state_names(conversation, house.bus.conduct.library.protocols[conversation.protocol])


async def kinds(house: Stand, *wanted: str) -> list[str]:
    await house.commit()
    found = [event.kind for event in await house.journal.reader.events(limit=1000)]
    return [kind for kind in found if kind in wanted]


async def test_what_a_filter_means_is_held_and_everything_else_goes_its_way(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        point = house.hold.add("to:a act:inform", by="operator@local")
        seq = said(house, "a", 1)
        said(house, "b", 2)
        house.ask("a", 3)
        assert [one["content"] for one in frames(house)] == [2, 3]
        assert [held.seq for held in house.hold] == [seq]
        assert point.hits == 1
        assert [one["content"] for one in await house.messages()] == [2, 3]
        (row,) = await house.journal.reader.held_now()
        assert (row.seq, row.break_id, row.state) == (seq, "b1", "held")


async def test_released_it_goes_on_once_with_its_id_and_a_later_number(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.hold.add("to:a", by="operator@local")
        told = house.bus.submit({"performative": "inform", "receiver": "a", "content": 1})
        went_on = house.hold.release(told.seq)
        (frame,) = frames(house)
        assert (frame["id"], frame["conversation_id"], frame["content"]) == (told.id, told.conversation_id, 1)
        with pytest.raises(NotHeld):
            house.hold.release(told.seq)
        with pytest.raises(NotHeld):
            house.hold.drop(told.seq)
        (row,) = await house.messages()
        assert (row["seq"], went_on) == (went_on, row["seq"])
        (stored,) = await house.journal.reader.held([told.seq])
        assert (stored.state, stored.went_on) == ("released", went_on)
        assert await kinds(house, "held", "released") == ["held", "released"]


async def test_in_a_conversation_nothing_overtakes_what_the_same_sender_says_to_the_same(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        house.hold.add('"first"', by="operator@local")
        first = said(house, "a", "first", conversation_id="talk")
        second = said(house, "a", "second", conversation_id="talk")
        said(house, "b", "to another", conversation_id="talk")
        said(house, "a", "elsewhere", conversation_id="other")
        assert [one["content"] for one in frames(house)] == ["to another", "elsewhere"]
        assert [(held.seq, held.break_id) for held in house.hold] == [(first, "b1"), (second, None)]
        with pytest.raises(HeldBehind, match=str(first)):
            house.hold.release(second)
        house.hold.release(first)
        assert [one["content"] for one in frames(house)] == ["first", "second"]
        assert not len(house.hold)


async def test_without_break_points_and_held_messages_nobody_looks_at_messages(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        assert house.bus.gate is None
        assert house.bus.quick
        point = house.hold.add("to:a", by="operator@local", most=1)
        assert house.bus.gate is house.hold
        assert not house.bus.quick
        seq = said(house, "a", 1)
        assert point.ended == "hits"
        said(house, "a", 2)
        assert [one["content"] for one in frames(house)] == [2]
        house.hold.release(seq)
        assert house.bus.gate is None
        assert house.bus.quick
        assert not house.hold.points.points
        with pytest.raises(BreakNotFound):
            house.hold.remove("b1")


async def test_dropped_it_reaches_nobody_and_its_sender_is_told(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        house.hold.add("from:~^a$", by="operator@local")
        house.ask("a", conversation_id="talk", reply_with="r", protocol="fipa-request")
        house.cell.end({"performative": "agree"})
        (held,) = house.hold
        assert branches(house, "talk") == {"a@local": "requested"}
        seq = house.hold.drop(held.seq)
        (told,) = frames(house)
        assert (told["sender"], told["performative"]) == ("ams@local", "failure")
        assert told["content"]["error"] == "dropped"
        assert told["content"]["reason"] == "dropped by the operator"
        assert await house.letters() == [(seq, "operator@local", "dropped")]
        assert branches(house, "talk") != {"a@local": "requested"}
        assert await kinds(house, "dropped") == ["dropped"]


async def test_edited_it_is_judged_and_delivered_as_it_is_now(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.hold.add("from:~^a$", by="operator@local")
        house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r")
        house.cell.end({"performative": "propose", "content": 1, "x_mine": 7})
        (held,) = house.hold
        house.hold.edit(held.seq, performative=Performative.INFORM, content=Raw(b'{"price":2}'))
        with house.bus.clients.expect("talk") as waiter:
            house.hold.release(held.seq)
            await house.commit()
            got = await waiter.next(0.0)
        assert got is not None
        message = json.loads(got.body)
        assert (message["performative"], message["content"], message["x_mine"]) == ("inform", {"price": 2}, 7)
        assert branches(house, "talk") == {"a@local": "done"}
        assert not house.bus.counts.violations
        (stored,) = await house.journal.reader.held([held.seq])
        assert json.loads(stored.body)["performative"] == "propose"
        assert json.loads(stored.changed)["performative"] == "inform"


async def test_another_receiver_lets_those_go_that_waited_behind(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        house.hold.add('"one"', by="operator@local")
        one = said(house, "a", "one", conversation_id="talk")
        said(house, "a", "two", conversation_id="talk")
        house.hold.edit(one, receiver="b")
        assert [(frame["content"], frame["receiver"]) for frame in frames(house)] == [("two", ["a@local"])]
        house.hold.release(one)
        assert [(frame["content"], frame["receiver"]) for frame in frames(house)] == [("one", ["b@local"])]


async def test_another_receiver_stands_in_line_by_when_it_was_said(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.agent("b")
        house.hold.add('"held"', by="operator@local")
        for_a = said(house, "a", "held for a", conversation_id="talk")
        for_b = said(house, "b", "held for b", conversation_id="talk")
        said(house, "b", "last", conversation_id="talk")
        house.hold.edit(for_a, receiver="b")
        with pytest.raises(HeldBehind, match=str(for_a)):
            house.hold.release(for_b)
        house.hold.release(for_a)
        house.hold.release(for_b)
        assert [frame["content"] for frame in frames(house)] == ["held for a", "held for b", "last"]
        assert not len(house.hold)


async def test_delayed_it_goes_on_by_itself(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.hold.add("to:a", by="operator@local", most=2)
        first, second = said(house, "a", 1, conversation_id="t"), said(house, "a", 2, conversation_id="t")
        house.hold.delay(first, 5)
        # its time comes before that of what is ahead of it: then it follows at once
        house.hold.delay(second, 1)
        clock.advance(4.9)
        assert frames(house) == []
        clock.advance(0.2)
        assert [one["content"] for one in frames(house)] == [1, 2]
        with pytest.raises(InvalidMessage):
            house.hold.add("x", by="operator@local") and house.hold.delay(said(house, "a", "x"), -1)


async def test_deadlines_stop_while_something_is_held_and_go_on_with_what_was_left(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.hold.add("from:~^a$", by="operator@local")
        house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        clock.advance(4)
        house.cell.end({"performative": "agree"})
        clock.advance(3600)
        (held,) = house.hold
        assert branches(house, "talk") == {"a@local": "requested"}
        assert not await kinds(house, "branch")
        house.hold.release(held.seq)
        assert branches(house, "talk") == {"a@local": "agreed"}
        assert not house.bus.counts.violations


async def test_what_is_left_of_a_deadline_passes_after_the_release(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.agent("b")
        house.hold.add('to:b "other"', by="operator@local")
        house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        clock.advance(4)
        seq = said(house, "b", "other", conversation_id="talk", protocol="fipa-request")
        clock.advance(100)
        house.hold.drop(seq)
        clock.advance(5.9)
        assert branches(house, "talk")["a@local"] == "requested"
        clock.advance(0.2)
        assert branches(house, "talk")["a@local"] != "requested"


async def test_a_held_request_has_as_long_as_it_would_have_had(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.hold.add("to:a", by="operator@local", most=1)
        seq = house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        (held,) = house.hold
        before = held.message.reply_by
        clock.advance(60)
        house.hold.release(seq)
        house.bus.settle()
        (frame,) = [one.message for one in house.cell.frames]
        assert before is not None
        assert frame["reply_by"] > before
        clock.advance(9)
        house.cell.end({"performative": "inform"})
        assert branches(house, "talk") == {"a@local": "done"}
        assert not house.bus.counts.violations


async def test_held_messages_and_break_points_survive_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        point = house.hold.add("to:a act:inform", by="operator@local", name="mine")
        house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        first = said(house, "a", "one", conversation_id="t")
        second = said(house, "a", "two", conversation_id="t")
        edited = said(house, "a", "three", conversation_id="u", x_mine=1)
        house.hold.edit(edited, content=Raw(b'"changed"'))
        house.hold.delay(edited, 30)
        house.hold.release(first)
        house.bus.conduct.write(house.journal.batch, house.bus.last_seq, all_of_it=True)
        await house.commit()
    clock.advance(10)
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        await house.bus.conduct.restore(house.journal.reader)
        assert [held.seq for held in house.hold] == [second, edited]
        assert [(one.id, one.name, one.hits) for one in house.hold.points.on] == [(point.id, "mine", 3)]
        assert house.bus.conduct.standing.keys() == {"t", "u"}
        assert house.bus.low_water() < second
        house.hold.release(second)
        clock.advance(20)
        contents = [(one["content"], one.get("x_mine")) for one in frames(house)]
        assert contents == [("two", None), ("changed", 1)]
        assert not len(house.hold)
        house.hold.remove("mine")
        assert house.hold.add("to:a", by="operator@local").id == "b2"


async def test_a_clock_that_stood_still_stands_where_it_was_after_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.hold.add("from:~^a$", by="operator@local", most=1)
        house.ask("a", conversation_id="talk", protocol="fipa-request", reply_with="r", reply_by="10s")
        house.bus.conduct.write(house.journal.batch, house.bus.last_seq, all_of_it=True)
        clock.advance(4)
        house.cell.end({"performative": "agree"})
        await house.commit()
    clock.advance(1000)
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        await house.bus.conduct.restore(house.journal.reader)
        (held,) = house.hold
        house.hold.release(held.seq)
        assert branches(house, "talk") == {"a@local": "agreed"}
        deadline = house.bus.conduct.known["talk"].branches["a@local"].deadline_us
        await house.commit()
    clock.advance(3)
    async with stand(tmp_path, clock) as house:
        # nothing of it was written down meanwhile: it is judged again
        conduct: Conduct = house.bus.conduct
        await conduct.restore(house.journal.reader)
        assert branches(house, "talk") == {"a@local": "agreed"}
        assert conduct.known["talk"].branches["a@local"].deadline_us == deadline
        assert not conduct.standing


async def test_the_platforms_own_messages_are_never_held(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.hold.add("", by="operator@local")
        said(house, "timer", {"after_ms": 1})
        house.ask("nobody")
        held = list(house.hold)
        assert [one.message.receiver for one in held] == [["nobody@local"]]
        house.hold.release(held[0].seq)
        assert await house.letters() != []


async def test_a_full_hold_stops_no_more_and_what_would_overtake_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.hold.most = 2
        house.hold.add("to:a", by="operator@local")
        for number in range(2):
            said(house, "a", number, conversation_id="talk")
        late = said(house, "a", "late", conversation_id="talk")
        said(house, "a", "elsewhere", conversation_id="other")
        assert [one["content"] for one in frames(house)] == ["elsewhere"]
        assert not house.hold.points.on
        assert (late, "a@local", "held_full") in await house.letters()
        assert await kinds(house, "break_ended") == ["break_ended"]
        house.hold.release_some([held.seq for held in house.hold])
        assert [one["content"] for one in frames(house)] == [0, 1]


async def test_a_filter_that_no_message_can_meet_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        for text in ("state:open", "is:open", "nosuch:x"):
            with pytest.raises(InvalidFilter):
                house.hold.add(text, by="operator@local")
        house.hold.add("to:a", by="operator@local", name="mine")
        with pytest.raises(InvalidMessage):
            house.hold.add("to:b", by="operator@local", name="mine")


async def test_a_break_point_ends_when_its_time_is_over(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with stand(tmp_path, clock) as house:
        house.agent("a")
        house.hold.add("to:a", by="operator@local", for_s=5)
        clock.advance(5.1)
        said(house, "a", 1)
        assert [one["content"] for one in frames(house)] == [1]
        assert house.bus.gate is None
        assert await kinds(house, "break_ended") == ["break_ended"]
