"""How a client's message comes into being: its number, time, names, conversation and trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caxton.bus import Bus
from caxton.errors import CaxtonError, InvalidMessage, MessageTooLarge, SecurityError
from caxton.ids import message_seq

from .harness import INFORM, stand

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def test_numbers_have_no_gap_and_stand_in_the_ids(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        seqs = [runtime.ask("a") for _ in range(5)]
        said = await runtime.messages()
        assert seqs == [1, 2, 3, 4, 5]
        assert [one["seq"] for one in said] == seqs
        assert [message_seq(one["id"]) for one in said] == seqs
        assert [frame.seq for frame in runtime.cell.frames] == seqs
        assert len({one["id"] for one in said} | {one["span_id"] for one in said}) == 10
        last = runtime.bus.last_seq
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        assert runtime.ask("a") == last + 1


async def test_times_never_go_back(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        now = runtime.rings.now_us()
        for moment in (now, now - 3_600_000_000, now + 5, now + 1):
            runtime.rings.stands_at_us = moment
            runtime.ask("a")
        times = [one["timestamp"] for one in await runtime.messages()]
        assert times == [now, now, now + 5, now + 5]


async def test_a_conversation_is_written_down_once_with_everybody_in_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        first = runtime.ask("a", conversation_id="talk", protocol="shop-talk")
        runtime.cell.end(INFORM, {"performative": "request", "receiver": "b", "conversation_id": "talk"})
        runtime.ask("a", conversation_id="other")
        await runtime.commit()
        talk = await runtime.journal.reader.conversation("talk")
        assert talk is not None
        assert (talk.first_seq, talk.initiator, talk.protocol) == (first, "operator@local", "shop-talk")
        assert sorted(talk.participants) == ["a@local", "b@local", "operator@local"]
        assert talk.messages == 3
        assert {one.id for one in await runtime.journal.reader.conversations()} == {"talk", "other"}
        assert [one.id for one in await runtime.journal.reader.conversations(agent="b@local")] == ["talk"]


async def test_each_message_without_a_conversation_begins_one(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a")
        runtime.ask("a")
        talks = [one["conversation_id"] for one in await runtime.messages()]
        assert len(set(talks)) == 2
        assert [one.id for one in await runtime.journal.reader.conversations()] == talks[::-1]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("a", ["a@local"]),
        ("a@local", ["a@local"]),
        (["a"], ["a@local"]),
        (["b", "a"], ["b@local", "a@local"]),
        (["a", "b", "a@local", "a"], ["a@local", "b@local"]),
    ],
)
async def test_receivers_get_full_names_and_one_message_each(
    tmp_path: Path, given: str | list[str], names: list[str]
) -> None:
    async with stand(tmp_path) as runtime:
        agents = {name: runtime.agent(name[0]) for name in ("a@local", "b@local")}
        runtime.ask(given)
        (said,) = await runtime.messages()
        assert said["receiver"] == names
        assert sorted(frame.slot for frame in runtime.cell.frames) == sorted(
            agents[one].slot for one in names
        )
        assert {frame.seq for frame in runtime.cell.frames} == {1}
        assert runtime.bus.counts.deliveries == len(names)


async def test_all_receivers_read_the_bytes_that_the_journal_keeps(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.agent("b")
        runtime.ask(["a", "b"], {"n": 1.50, "text": "ü"})
        await runtime.commit()
        row = await runtime.journal.reader.message(1)
        assert row is not None
        assert [frame.body for frame in runtime.cell.frames] == [row.body, row.body]


Submit = Callable[[Bus], object]


@pytest.mark.parametrize(
    ("submit", "error", "word"),
    [
        (lambda bus: bus.submit({"performative": "request"}), InvalidMessage, "no receiver"),
        (lambda bus: bus.submit(b"[]"), InvalidMessage, "JSON object"),
        (lambda bus: bus.submit({"performative": "ask", "receiver": "a"}), InvalidMessage, "performative"),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a", "reply_by": "soon"}),
            InvalidMessage,
            "reply_by",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": ["a", "b", "c"]}),
            InvalidMessage,
            "limits.receivers is 2",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a", "reply_to": ["a", "b", "c"]}),
            InvalidMessage,
            "limits.receivers is 2",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a", "sender": "a"}),
            SecurityError,
            "a@local",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a", "sender": "operator@far"}),
            SecurityError,
            "operator@far",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a"}, sender="ams"),
            SecurityError,
            "ams@local",
        ),
        (
            lambda bus: bus.submit({"performative": "request", "receiver": "a", "content": "x" * 1000}),
            MessageTooLarge,
            "1000",
        ),
    ],
)
async def test_what_is_refused_at_the_door_leaves_nothing_behind(
    tmp_path: Path, submit: Submit, error: type[CaxtonError], word: str
) -> None:
    async with stand(tmp_path, receivers=2, message_bytes=1_000) as runtime:
        runtime.agent("a")
        with pytest.raises(error, match=word):
            submit(runtime.bus)
        assert runtime.bus.counts.refused == 1
        assert runtime.bus.last_seq == 0
        assert not runtime.cell.frames


@pytest.mark.parametrize("sender", ["operator", "operator@local", "operator.ann", "operator.ann@local"])
async def test_a_client_may_have_a_name(tmp_path: Path, sender: str) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a", sender=sender)
        runtime.bus.submit({"performative": "request", "receiver": "a"}, sender=sender)
        for said in await runtime.messages():
            assert said["sender"] == sender.removesuffix("@local") + "@local"


async def test_a_trace_of_the_client_is_joined_and_kept(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        told = runtime.bus.submit(
            {"performative": "request", "receiver": "a", "x_own": [1]}, traceparent=TRACEPARENT
        )
        runtime.cell.end(INFORM)
        said = await runtime.messages()
        assert told.trace_id == TRACE
        assert [one["trace_id"] for one in said] == [TRACE, TRACE]
        assert (said[0]["x_traceparent"], said[0]["x_own"]) == (TRACEPARENT, [1])
        assert said[0]["span_id"] != said[1]["span_id"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        TRACE,
        f"00-{TRACE}-00f067aa0ba902b7",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-00f067aa0ba902b7-01",
        f"00-{TRACE[:14]}_{TRACE[15:]}-00f067aa0ba902b7-01",
        f"00-+{TRACE[1:]}-00f067aa0ba902b7-01",
    ],
)
async def test_a_header_that_is_no_traceparent_is_refused(tmp_path: Path, header: str) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        with pytest.raises(InvalidMessage, match="traceparent"):
            runtime.bus.submit({"performative": "request", "receiver": "a"}, traceparent=header)
        assert runtime.bus.last_seq == 0


async def test_every_trace_id_is_a_w3c_trace_id(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        for _ in range(50):
            runtime.ask("a")
        traces = [one["trace_id"] for one in await runtime.messages()]
        assert len(set(traces)) == 50
        assert all(len(one) == 32 and int(one, 16) for one in traces)


async def test_reply_by_becomes_a_time_and_reply_to_full_names(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.ask("a", reply_by="2027-01-01T02:00:00+02:00", reply_to="operator.ann")
        runtime.cell.end(INFORM)
        said = await runtime.messages()
        assert said[0]["reply_by"] == "2027-01-01T00:00:00.000000Z"
        assert said[0]["reply_to"] == said[1]["receiver"] == ["operator.ann@local"]


async def test_parameters_of_ones_own_arrive_byte_for_byte(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.bus.submit(
            b'{"performative":"request","receiver":"a","x_b":{"k":1.500},"x_a":"\\u00e9","content":1e2}'
        )
        body = runtime.cell.frames[0].body
        assert b'"x_b":{"k":1.500}' in body
        assert b'"x_a":"\\u00e9"' in body
        assert b'"content":1e2' in body


async def test_what_only_the_host_may_say_is_ignored(tmp_path: Path) -> None:
    own: dict[str, Any] = {
        "id": "mine",
        "timestamp": 1,
        "trace_id": "t",
        "span_id": "s",
        "redelivered": True,
    }
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        runtime.bus.submit(json.dumps({"performative": "request", "receiver": "a", **own}).encode())
        (said,) = await runtime.messages()
        assert all(said.get(key) != value for key, value in own.items())
        assert "redelivered" not in said


async def test_a_client_key_is_kept_with_its_message_and_stays_with_the_first(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("a")
        wish: dict[str, object] = {"performative": "request", "receiver": "a"}
        first = runtime.bus.submit(wish, client_key="k-1")
        runtime.bus.submit(wish, client_key="k-1")
        other = runtime.bus.submit(wish, client_key="k-2")
        await runtime.commit()
        reader = runtime.journal.reader
        for key, said in (("k-1", first), ("k-2", other)):
            known = await reader.client_key(key)
            assert known is not None
            assert (known.key, known.seq) == (key, said.seq)
        assert await reader.client_key("k-3") is None
