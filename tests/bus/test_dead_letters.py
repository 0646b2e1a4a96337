"""What cannot be delivered is kept with its reason, and its sender is told once, by `ams`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caxton.bus.platform_messages import LAST_NOTICE, NOTICES_OF_A_TURN
from caxton.errors import MailboxFull
from caxton.turn_status import Status

from .harness import INFORM, stand


@pytest.mark.parametrize(
    ("receiver", "code"),
    [("nobody", "unknown_agent"), ("a@far", "unknown_platform"), ("ams@far", "unknown_platform")],
)
async def test_nobody_is_there(tmp_path: Path, receiver: str, code: str) -> None:
    async with stand(tmp_path) as runtime:
        name = receiver if "@" in receiver else f"{receiver}@local"
        seq = runtime.ask(receiver, reply_with="r-1", protocol="fipa-request", conversation_id="talk")
        asked, failure = await runtime.messages()
        assert await runtime.letters() == [(seq, name, code)]
        assert failure["performative"] == "failure"
        assert failure["sender"] == "ams@local"
        assert failure["receiver"] == ["operator@local"]
        assert (failure["conversation_id"], failure["protocol"]) == ("talk", "fipa-request")
        assert (failure["in_reply_to"], failure["cause"], failure["hops"]) == ("r-1", seq, 1)
        assert failure["trace_id"] == asked["trace_id"]
        content = failure["content"]
        assert (content["error"], content["receiver"], content["message_id"]) == (code, name, asked["id"])
        assert name in content["reason"]
        (event,) = await runtime.journal.reader.events(kind="dead_letter")
        assert json.loads(event.body)["code"] == code
        assert runtime.bus.counts.by_reason == {code: 1}
        assert runtime.pending() == []


async def test_a_guest_may_name_agents_as_other_platforms_do(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("Bob")
        runtime.ask("a")
        there = ["bob@192.0.2.7:1099/JADE", "Käthe@Elsewhere", "bob"]
        runtime.cell.end({"performative": "inform", "receiver": [*there, "Bob"], "content": 1})
        await runtime.commit()
        codes = {name: code for _, name, code in await runtime.letters()}
        assert codes == dict.fromkeys(there[:2], "unknown_platform") | {"bob@local": "unknown_agent"}
        (turn,) = await runtime.journal.reader.turns(agent="a@local", limit=1)
        assert (turn.status, turn.sent) == (Status.OK, 1)


async def test_a_failure_goes_where_the_reply_was_wanted(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.ask("nobody", reply_to="operator.ann")
        assert (await runtime.messages())[1]["receiver"] == ["operator.ann@local"]


async def test_one_of_several_is_missing_and_the_others_get_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        seq = runtime.ask(["a", "nobody", "b", "x@far"])
        assert [frame.seq for frame in runtime.cell.frames] == [seq, seq]
        assert await runtime.letters() == [
            (seq, "nobody@local", "unknown_agent"),
            (seq, "x@far", "unknown_platform"),
        ]
        (failure,) = (await runtime.messages())[1:]
        assert failure["content"]["receiver"] == ["nobody@local", "x@far"]
        assert (
            "2 receivers were not reached; the first: there is no agent nobody@local"
            in failure["content"]["reason"]
        )
        (event,) = await runtime.journal.reader.events(kind="dead_letter")
        assert json.loads(event.body)["agents"] == ["nobody@local", "x@far"]
        assert runtime.pending() == [(seq, ["a@local", "b@local"])]


async def test_a_full_mailbox_takes_nothing_more(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a", mailbox=3)
        runtime.cell.link.room = 1
        for _ in range(3):
            runtime.ask("a")
        assert (len(agent.in_flight), len(agent.waiting)) == (1, 2)
        with pytest.raises(MailboxFull) as refused:
            runtime.ask("a")
        assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
        assert "limits.mailbox" in str(refused.value.hint)
        runtime.cell.end(INFORM)
        runtime.ask("a")
        assert agent.depth == 3
        assert not await runtime.letters(), "a client is refused before anything is kept"


async def test_a_guest_whose_receivers_are_full_is_told_once_a_turn(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("full", mailbox=1)
        runtime.agent("b")
        runtime.ask("full")
        seq = runtime.ask("b")
        runtime.cell.frames.popleft()
        runtime.cell.end(*({"performative": "inform", "receiver": "full", "content": n} for n in range(5)))
        said = await runtime.messages(seq)
        assert [one["performative"] for one in said].count("failure") == 1
        assert [code for _, _, code in await runtime.letters()] == ["mailbox_full"] * 5
        (failure,) = [one for one in said if one["performative"] == "failure"]
        assert "limits.mailbox" in failure["content"]["reason"]


async def test_many_misspelt_messages_of_a_turn_bring_some_notices_and_no_more(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("b")
        seq = runtime.ask("b")
        runtime.cell.end(
            *(
                {"performative": "inform", "receiver": [f"n{n}" for n in range(100)], "content": n}
                for n in range(40)
            )
        )
        said = await runtime.messages(seq)
        failures = [one for one in said if one["performative"] == "failure"]
        assert len(failures) == NOTICES_OF_A_TURN
        assert LAST_NOTICE in failures[-1]["content"]["reason"]
        assert len(await runtime.letters()) == 4_000
        assert len(await runtime.journal.reader.events(kind="dead_letter", limit=1000)) == 40


async def test_an_agent_may_take_less_than_others_may_say(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("small", message_bytes=600)
        runtime.agent("large")
        runtime.ask("small", "x" * 100)
        seq = runtime.ask(["small", "large"], "x" * 700)
        assert await runtime.letters() == [(seq, "small@local", "message_bytes")]
        assert agent.depth == 1
        assert "600" in (await runtime.messages())[-1]["content"]["reason"]


async def test_a_stopped_agent_says_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a").refuse("agent_stopped", "a is stopped")
        seq = runtime.ask("a")
        assert await runtime.letters() == [(seq, "a@local", "agent_stopped")]
        assert (await runtime.messages())[-1]["content"]["reason"] == "a is stopped"


async def test_an_endless_echo_ends_and_its_end_is_short(tmp_path: Path) -> None:
    async with stand(tmp_path, hops=20) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.ask("a", conversation_id="talk", reply_to="b")
        turns = 0
        while runtime.cell.frames:
            # whatever comes is answered, failures too; a turn of `a` speaks to b, and the other way round
            frame = runtime.cell.frames[0]
            other = "b" if frame.message["receiver"] == ["a@local"] else "a"
            runtime.cell.end({"performative": "request", "receiver": other, "conversation_id": "talk"})
            turns += 1
            assert turns < 200, "the echo does not end"
        said = await runtime.messages()
        assert [code for _, _, code in await runtime.letters()] == ["hop_limit", "hop_limit"]
        assert turns == 21, "one for each hop from 0 to 20"
        assert max(one["hops"] for one in said) == 22
        assert len(said) == 24
        assert (said[-1]["receiver"], said[-1]["content"]["error"]) == (["operator@local"], "hop_limit")
        assert "limits.hops, 20" in said[-1]["content"]["reason"]
        assert runtime.pending() == []


async def test_the_platform_is_not_told_of_its_own_failures(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a", mailbox=1)
        # a's mailbox is full when the failure for what it said would come
        runtime.ask("a")
        runtime.cell.end({"performative": "request", "receiver": "nobody"})
        letters = await runtime.letters()
        assert [code for _, _, code in letters] == ["unknown_agent"]
        (frame,) = runtime.cell.frames
        failure = frame.message
        assert (failure["performative"], failure["sender"]) == ("failure", "ams@local")
        # the failure itself ends badly: a dead letter, and no word more
        before = runtime.bus.counts.messages
        runtime.cell.fail(Status.TRAP, "unreachable")
        assert (await runtime.letters())[-1][1:] == ("a@local", "unreachable")
        (last,) = (await runtime.messages())[before:]
        assert last["receiver"] == ["operator@local"], "whoever asked is told that nothing more is done"
        assert agent.depth == 0


async def test_a_failure_with_nowhere_to_go_ends_there(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        seq = runtime.ask("nobody", reply_to=["nobody", "x@far"])
        letters = await runtime.letters()
        assert letters[0] == (seq, "nobody@local", "unknown_agent")
        assert [one[1:] for one in letters[1:]] == [
            ("nobody@local", "unknown_agent"),
            ("x@far", "unknown_platform"),
        ]
        assert len(await runtime.messages()) == 2
        assert runtime.pending() == []


async def test_failed_turns_count_by_their_reason(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        for _ in range(3):
            runtime.ask("a")
        runtime.cell.end(b"", status=Status.GUEST_ERROR, count=1)
        runtime.cell.end(INFORM, count=4)
        runtime.cell.fail(Status.LIMIT, "fuel")
        await runtime.commit()
        assert runtime.bus.counts.by_reason == {"guest_error": 1, "count": 1, "fuel": 1}
        assert runtime.bus.counts.dead_letters == agent.failed_turns == 3
        assert "by_reason" not in runtime.bus.counts.plain()
        assert runtime.bus.counts.plain()["dead_letters"] == 3
