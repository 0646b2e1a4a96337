"""What a turn says becomes messages, or none of it does; what a turn costs is written down."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from caxton.acl import Draft
from caxton.bus import turns
from caxton.clock import VirtualClock
from caxton.turn_status import STATUS_NAMES, Status

from .harness import INFORM, stand

TO_B: dict[str, Any] = {"performative": "request", "receiver": "b", "content": 2}


async def test_a_reply_takes_from_the_message_in_hand_what_it_does_not_say(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask(
            "a",
            sender="operator.ann",
            conversation_id="talk",
            protocol="shop-talk",
            reply_with="r-1",
            language="json",
            ontology="shop",
            encoding="utf-8",
        )
        runtime.cell.end({"performative": "inform", "content": [1]})
        asked, said = await runtime.messages()
        assert {key: said.get(key) for key in ("receiver", "conversation_id", "protocol", "in_reply_to")} == {
            "receiver": ["operator.ann@local"],
            "conversation_id": "talk",
            "protocol": "shop-talk",
            "in_reply_to": "r-1",
        }
        assert (said["sender"], said["language"], said["ontology"]) == ("a@local", "json", "shop")
        assert said["trace_id"] == asked["trace_id"]
        assert "encoding" not in said
        assert "reply_with" not in said
        assert (said["cause"], said["hops"]) == (asked["seq"], 1)


async def test_a_reply_may_say_otherwise(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a", protocol="shop-talk", reply_with="r-1", language="json", ontology="shop")
        given = {
            "protocol": "other-talk",
            "in_reply_to": "r-0",
            "reply_with": "r-2",
            "language": "sl",
            "ontology": "none",
            "conversation_id": "aside",
        }
        runtime.cell.end({"performative": "inform", **given})
        _, said = await runtime.messages()
        assert {key: said[key] for key in given} == given
        assert said["receiver"] == ["operator@local"]
        assert "content" not in said


async def test_null_says_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        keys = ("receiver", "conversation_id", "protocol", "in_reply_to", "language", "ontology")
        for nothing in ({}, dict.fromkeys([*keys, "reply_by", "reply_to", "reply_with", "sender"])):
            runtime.ask("a", conversation_id="talk", protocol="shop-talk", reply_with="r", language="json")
            runtime.cell.end({"performative": "inform", **nothing})
        _, without, _, with_nulls = await runtime.messages()
        assert {key: without.get(key) for key in keys} == {key: with_nulls.get(key) for key in keys}
        assert with_nulls["protocol"] == "shop-talk"


async def test_an_empty_reply_by_is_none(tmp_path: Path) -> None:
    async with stand(tmp_path) as house:
        house.agent("a")
        house.ask("a", protocol="fipa-request", reply_by="", conversation_id="talk")
        house.cell.end({"performative": "agree", "reply_by": ""})
        house.ask("a")
        house.cell.end(
            {"performative": "request", "receiver": "b", "protocol": "fipa-request", "reply_by": ""}
        )
        assert not [one for one in await house.messages() if "reply_by" in one]
        assert [turn.status for turn in await house.turns()] == [Status.OK, Status.OK]


async def test_a_message_to_somebody_takes_nothing_but_the_trace(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.ask("a", conversation_id="talk", protocol="shop-talk", reply_with="r-1", language="json")
        runtime.cell.end(TO_B)
        asked, said = await runtime.messages()
        assert not {"protocol", "in_reply_to", "language"} & set(said)
        assert said["conversation_id"] != "talk"
        assert said["trace_id"] == asked["trace_id"]
        assert said["receiver"] == ["b@local"]


async def test_a_turn_says_several_things_in_order(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        seq = runtime.ask("a")
        said = [
            {"performative": "inform", "content": n} | ({"receiver": "b"} if n % 2 else {}) for n in range(6)
        ]
        runtime.cell.end(b"", *said[:3], b"  ", *said[3:], b"", count=6)
        messages = (await runtime.messages())[1:]
        assert [one["content"] for one in messages] == list(range(6))
        assert {(one["cause"], one["hops"], one["sender"]) for one in messages} == {(seq, 1, "a@local")}
        assert [json.loads(frame.body)["content"] for frame in runtime.cell.frames] == [1, 3, 5]
        (turn,) = await runtime.turns()
        assert (turn.seq, turn.agent, turn.sent, turn.status) == (seq, "a@local", 6, Status.OK)


BAD = {
    "not a message": (b'{"performative":"shout"}', "invalid_message"),
    "not JSON": (b"{", "invalid_message"),
    "another's name": (b'{"performative":"inform","sender":"b"}', "foreign_sender"),
    "the operator's name": (b'{"performative":"inform","sender":"operator"}', "foreign_sender"),
    "too large": (b'{"performative":"inform","content":"' + b"x" * 700 + b'"}', "message_bytes"),
    "too many receivers": (b'{"performative":"inform","receiver":["b","c","d"]}', "invalid_message"),
    "a time that is none": (b'{"performative":"inform","reply_by":"soon"}', "invalid_message"),
    "a broken control line": (b'{"caxton": "log", ', "control_line"),
    "a level that is an object": (b'{"caxton":"log","level":{},"message":"x"}', "control_line"),
    "a level that is a list": (b'{"caxton":"log","level":["info"],"message":"x"}', "control_line"),
    "a log line nested too deep": (
        b'{"caxton":"log","message":' + b"[" * 3000 + b"]" * 3000 + b"}",
        "control_line",
    ),
    "an unknown key nested too deep": (
        b'{"caxton":"log","message":"x","y":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
        "control_line",
    ),
    "a log line that is no UTF-8": (b'{"caxton":"log","message":"\xff"}', "control_line"),
    "a level that is no UTF-8": (b'{"caxton":"log","level":"\xff","message":""}', "control_line"),
    "half of a surrogate pair in a log line": (b'{"caxton":"log","message":"\\ud800"}', "control_line"),
    "half of a surrogate pair as bytes": (b'{"caxton":"log","message":"\xed\xa0\x80"}', "control_line"),
    "a number too large in a log line": (b'{"caxton":"log","message":1e999}', "control_line"),
    "a number too long in a log line": (b'{"caxton":"log","message":' + b"9" * 5000 + b"}", "control_line"),
    "a control line without a colon": (b'{"caxton"', "control_line"),
    "a message nested too deep": (
        b'{"performative":"inform","content":' + b"[" * 3000 + b"]" * 3000 + b"}",
        "invalid_message",
    ),
    "a message that is no UTF-8": (b'{"performative":"inform","content":"\xff"}', "invalid_message"),
    "half of a surrogate pair in a message": (
        b'{"performative":"inform","content":"\\ud800"}',
        "invalid_message",
    ),
    "a number too large in a message": (b'{"performative":"inform","content":1e999}', "invalid_message"),
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", BAD)
async def test_one_bad_line_and_nothing_is_said(tmp_path: Path, bad: str, place: int) -> None:
    line, code = BAD[bad]
    async with stand(tmp_path, message_bytes=700 if bad == "too large" else 20_000, receivers=2) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        seq = runtime.ask("a", reply_with="r-1")
        lines: list[Any] = [TO_B, INFORM]
        lines.insert(place, line)
        runtime.cell.end(*lines, count=2 if code == "control_line" else 3)
        asked, failure = await runtime.messages()
        assert await runtime.letters() == [(seq, "a@local", code)]
        assert (failure["sender"], failure["performative"]) == ("ams@local", "failure")
        assert (failure["receiver"], failure["in_reply_to"]) == (["operator@local"], "r-1")
        assert failure["conversation_id"] == asked["conversation_id"]
        assert failure["content"]["error"] == code
        assert failure["content"]["message_id"] == asked["id"]
        assert failure["content"]["reason"]
        (turn,) = await runtime.turns()
        assert (turn.sent, turn.status, STATUS_NAMES[turn.status]) == (0, Status.REFUSED, "refused")
        assert not runtime.cell.frames
        counts = runtime.bus.counts
        assert (counts.turns, counts.turns_ok, counts.turns_refused) == (1, 0, 1)


async def test_a_bad_line_alone_is_refused_too_and_the_agent_goes_on(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        runtime.ask("a")
        runtime.ask("a")
        runtime.cell.end({"performative": "inform", "sender": "b"})
        runtime.cell.end(INFORM)
        assert [turn.status for turn in await runtime.turns()] == [Status.REFUSED, Status.OK]
        assert agent.open
        assert not runtime.broken
        assert agent.last_error is not None
        assert "foreign_sender" in agent.last_error


@pytest.mark.parametrize(
    ("count", "lines"),
    [(2, [INFORM]), (0, [INFORM]), (1, [INFORM, INFORM]), (1, [b'{"caxton":"log","message":"hi"}'])],
)
async def test_the_lines_must_be_as_many_as_the_guest_says(
    tmp_path: Path, count: int, lines: list[Any]
) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seq = runtime.ask("a")
        runtime.cell.end(*lines, count=count)
        assert await runtime.letters() == [(seq, "a@local", "count")]
        assert not await runtime.journal.reader.events(kind="log")


async def test_one_may_say_ones_own_name(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end({**INFORM, "sender": "a"}, {**INFORM, "sender": "a@local"})
        assert [one["sender"] for one in await runtime.messages()] == ["operator@local", "a@local", "a@local"]


async def test_log_lines_are_events_of_their_message_up_to_a_number(tmp_path: Path) -> None:
    async with stand(tmp_path, log_lines=3) as runtime:
        runtime.agent("a")
        runtime.ask("a", conversation_id="talk")
        runtime.cell.end(
            b'{"caxton":"log","level":"error","message":"broke"}',
            b'{ "caxton": "log", "message": {"k": 1}}',
            INFORM,
            b'{"caxton":"dance"}',
            b'{"caxton":"log","level":"loud","message":"too many"}',
            count=1,
        )
        asked, said = await runtime.messages()
        logs = [json.loads(one.body) for one in await runtime.journal.reader.events(kind="log")]
        assert [(one["level"], one["message"]) for one in logs] == [
            ("error", "broke"),
            ("info", '{"k":1}'),
            ("warning", "unknown control line 'dance' was skipped"),
        ]
        assert {(one["agent"], one["message_id"], one["conversation_id"]) for one in logs} == {
            ("a@local", asked["id"], "talk")
        }
        assert {(one["trace_id"], one["span_id"]) for one in logs} == {(asked["trace_id"], asked["span_id"])}
        assert said["content"] == 1
        assert (runtime.bus.counts.logs, runtime.bus.counts.logs_dropped) == (3, 1)


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        (b'{"caxton":"log","level":null,"message":"x"}', "info", "x"),
        (b'{"caxton":"log","msg":"x","level":"error"}', "error", "x"),
        (b'{"caxton":"log","message":"a\\u0000b"}', "info", "a\0b"),
        (b'{"caxton":"log","message":123456789012345678901234567890}', "info", "1234567890" * 3),
        (b'{"caxton":"log","level":"debug"}', "debug", ""),
        (b'{"caxton":{"a":[]},"level":{}}', "warning", "unknown control line \"{'a': []}\" was skipped"),
    ],
)
async def test_an_unusual_log_line_is_read(tmp_path: Path, line: bytes, level: str, text: str) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end(line, count=0)
        (turn,) = await runtime.turns()
        assert turn.status == Status.OK
        (log,) = await runtime.journal.reader.events(kind="log")
        body = json.loads(log.body)
        assert (body["level"], body["message"]) == (level, text)


async def test_a_defect_of_the_host_costs_the_turn_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(line: bytes) -> Draft:
        raise ZeroDivisionError(line)

    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        first = runtime.ask("a", reply_with="r-1")
        runtime.ask("b")
        with monkeypatch.context() as patch, capture_logs() as logs:
            patch.setattr(turns, "read_draft", fails)
            runtime.cell.end(INFORM)
        runtime.cell.end(INFORM)
        assert await runtime.letters() == [(first, "a@local", "unreadable")]
        assert [turn.status for turn in await runtime.turns()] == [Status.REFUSED, Status.OK]
        failure = next(one for one in await runtime.messages() if one["performative"] == "failure")
        assert (failure["receiver"], failure["in_reply_to"]) == (["operator@local"], "r-1")
        (said,) = logs
        assert (said["agent"], said["message"]) == ("a@local", first)
        assert isinstance(said["exc_info"], ZeroDivisionError)


async def test_what_cannot_be_read_of_a_refused_turns_log_is_said(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seq = runtime.ask("a")
        words = b'no paper \xff\n{"caxton":"log","level":{}}'
        runtime.cell.end(words, status=Status.GUEST_ERROR, count=1)
        assert await runtime.letters() == [(seq, "a@local", "guest_error")]
        (log,) = await runtime.journal.reader.events(kind="log")
        assert json.loads(log.body)["level"] == "warning"
        assert (
            "the level of a log line must be a string, this is an object" in json.loads(log.body)["message"]
        )


async def test_an_account_of_a_fault_that_cannot_be_read_still_ends_the_turn(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seq = runtime.ask("a")
        runtime.cell.end(b"\xff", status=Status.TRAP, count=0)
        assert await runtime.letters() == [(seq, "a@local", "unreadable")]
        assert runtime.broken == [("a@local", Status.TRAP, "unreadable")]


async def test_a_turn_that_only_logs_says_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end(b'{"caxton":"log","level":"debug","message":"hm"}', count=0)
        (turn,) = await runtime.turns()
        assert (turn.sent, turn.status) == (0, Status.OK)
        (log,) = await runtime.journal.reader.events(kind="log", agent="a@local")
        assert json.loads(log.body)["message"] == "hm"


async def test_what_a_turn_cost_is_in_its_row_and_in_the_sums(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        runtime.ask("a")
        runtime.ask("a")
        begin = time.time_ns() // 1000 + 1_000_000
        runtime.cell.end(INFORM, fuel=1_000, turn_us=11, started_us=begin)
        runtime.cell.end(fuel=500, turn_us=4, started_us=1)
        first, second = await runtime.turns()
        (asked, *_) = await runtime.messages()
        assert (first.fuel, first.turn_us, first.started_us) == (1_000, 11, begin)
        assert first.queue_us == begin - asked["timestamp"]
        assert second.queue_us == 0, "a cell's clock may be a little behind"
        counts = runtime.bus.counts
        assert (counts.fuel, counts.turn_us, counts.turns, counts.turns_ok) == (1_500, 15, 2, 2)
        assert (agent.fuel, agent.turn_us, agent.turns, agent.sent, agent.failed_turns) == (
            1_500,
            15,
            2,
            1,
            0,
        )


async def test_on_a_clock_that_does_not_measure_turns_take_no_time(tmp_path: Path) -> None:
    async with stand(tmp_path, VirtualClock(5_000_000)) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end(INFORM, turn_us=11, fuel=9)
        (turn,) = await runtime.turns()
        assert (turn.started_us, turn.queue_us, turn.turn_us, turn.fuel) == (5_000_000, 0, 0, 9)


async def test_an_error_of_the_guest_is_told_in_its_own_words_and_keeps_the_instance(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        seq = runtime.ask("a")
        runtime.cell.end(b"no paper left", status=Status.GUEST_ERROR, count=3)
        _, failure = await runtime.messages()
        assert failure["content"]["error"] == "guest_error"
        assert failure["content"]["reason"] == "no paper left"
        assert await runtime.letters() == [(seq, "a@local", "guest_error")]
        assert agent.open
        assert not runtime.broken
        assert runtime.bus.counts.turns_guest_error == 1


@pytest.mark.parametrize(
    ("status", "code", "counter"),
    [
        (Status.TRAP, "unreachable", "turns_trap"),
        (Status.LIMIT, "fuel", "turns_limit"),
        (Status.BROKEN, "mailbox", "turns_broken"),
    ],
)
async def test_a_lost_instance_closes_the_mailbox_and_what_it_had_waits_in_order(
    tmp_path: Path, status: Status, code: str, counter: str
) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        seqs = [runtime.ask("a") for _ in range(4)]
        runtime.cell.fail(status, code)
        assert runtime.broken == [("a@local", status, code)]
        assert not agent.open
        late = runtime.ask("a")
        assert len(runtime.cell.frames) == 3, "nothing goes to a cell without an instance"
        for _ in seqs[1:]:
            runtime.cell.end(status=Status.UNHANDLED)
        assert agent.depth == 4
        assert not runtime.cell.frames
        runtime.bus.open(agent)
        assert [runtime.cell.end(INFORM).seq for _ in range(4)] == [*seqs[1:], late]
        assert await runtime.letters() == [(seqs[0], "a@local", code)]
        assert [turn.status for turn in await runtime.turns()] == [status, 0, 0, 0, 0]
        assert getattr(runtime.bus.counts, counter) == 1
        frames = [one for one in await runtime.messages() if one["sender"] == "a@local"]
        assert len(frames) == 4


async def test_what_was_given_back_is_not_marked_as_redelivered(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        agent = runtime.agent("a")
        runtime.ask("a")
        second = runtime.ask("a")
        runtime.cell.fail(Status.TRAP, "unreachable")
        runtime.cell.end(status=Status.UNHANDLED)
        runtime.bus.open(agent)
        (frame,) = runtime.cell.frames
        assert frame.seq == second
        assert "redelivered" not in frame.message, "nobody has read it"


async def test_a_cell_that_answers_out_of_order_is_not_believed(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.ask("a")
        runtime.cell.frames.rotate()
        with pytest.raises(RuntimeError, match="the cell answered 2, 1 was next"):
            runtime.cell.end(INFORM)
