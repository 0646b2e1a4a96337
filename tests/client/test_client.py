"""The client: foreign errors at one border, refusals rebuilt, a stream that goes on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from api.process import Daemon
from hypothesis import given
from hypothesis import strategies as st

from caxton import errors
from caxton.api.stream.events import render
from caxton.api.stream.hub import Gap, StreamRow
from caxton.client import AsyncClient, Client, answers
from caxton.errors import CaxtonError, Exit, Unreachable

ECHO = {"receiver": "echo", "performative": "request", "content": 1}


def test_nobody_there(tmp_path: Path) -> None:
    with Client(tmp_path / "none.sock") as caxton, pytest.raises(Unreachable) as caught:
        caxton.status()
    assert caught.value.hint == "start it with: caxton up"
    assert caught.value.exit == Exit.UNREACHABLE
    with Client(tmp_path / "none.sock") as caxton, pytest.raises(Unreachable):
        next(caxton.events())


@pytest.mark.parametrize("kind", sorted(answers._classes(CaxtonError), key=str))
def test_every_error_comes_over_the_wire(kind: type[CaxtonError]) -> None:
    sent = CaxtonError.__new__(kind)
    CaxtonError.__init__(sent, "so it is", hint="do that", limit=3)
    got = answers.refusal(sent.status, msgspec.json.encode(sent.body()))
    assert (got.code, got.message, got.hint, got.details) == (kind.code, "so it is", "do that", {"limit": 3})
    assert got.exit == kind.exit or kind.__module__ != errors.__name__


def test_an_unknown_code_and_no_body_at_all() -> None:
    got = answers.refusal(429, b'{"error":{"code":"new_thing","message":"m","hint":null,"details":{}}}')
    assert (got.code, got.exit, got.message) == ("new_thing", Exit.LIMIT, "m")
    assert answers.refusal(502, b"<html>").exit == Exit.UNEXPECTED


rows = st.one_of(
    st.builds(
        StreamRow,
        seq=st.integers(1, 2**62),
        at_us=st.integers(0, 2**50),
        kind=st.just("message"),
        cause=st.integers(0, 2**62),
        hops=st.integers(0, 2**31),
        flags=st.integers(0, 3),
        body=st.dictionaries(st.text(), st.text() | st.none()).map(
            lambda content: msgspec.json.format(msgspec.json.encode(content), indent=2)
        ),
    ),
    st.builds(
        StreamRow,
        seq=st.integers(1, 2**62),
        at_us=st.integers(0, 2**50),
        kind=st.sampled_from(["log", "cell", "agent"]),
        cause=st.just(0),
        hops=st.just(0),
        flags=st.just(0),
        body=st.dictionaries(st.sampled_from(["a", "message", "agent"]), st.text()).map(msgspec.json.encode),
    ),
    st.builds(Gap, lost=st.integers(1, 9), first=st.integers(1, 9), last=st.integers(10, 99)),
)


@given(st.lists(rows, max_size=6), st.integers(1, 50))
def test_what_the_server_renders_the_client_reads_however_it_is_cut(
    items: list[StreamRow | Gap], cut: int
) -> None:
    stream = b": hello\n\n" + b"".join(map(render, items))
    reader = answers.EventReader()
    got = [
        event for start in range(0, len(stream), cut) for event in reader.feed(stream[start : start + cut])
    ]
    assert len(got) == len(items)
    for event, item in zip(got, items, strict=True):
        if isinstance(item, Gap):
            assert (event.kind, event.data) == (
                "gap",
                {"lost": item.lost, "from": item.first, "to": item.last},
            )
            continue
        assert (event.seq, event.kind, event.data["seq"]) == (item.seq, item.kind, item.seq)
        said = msgspec.json.decode(item.body)
        if item.kind == "message":
            assert event.data["message"] == said
            assert event.data["cause"] == (item.cause or None)
        else:
            assert event.data.items() >= said.items()
    if got:
        assert reader.last == got[-1].seq


def test_the_stream_goes_on_with_a_daemon_that_was_killed_and_started_again(own_daemon: Daemon) -> None:
    """StreamRow after row, none twice and none left out, although the daemon dies without a word in between."""
    seen: list[int] = []
    with own_daemon.client() as watching, own_daemon.client() as speaking:
        stream = watching.events(after=0, patience_s=30)
        for number in range(3):
            sent = speaking.send({**ECHO, "content": number}, wait_s=10)
            for event in stream:
                assert event.seq is not None
                seen.append(event.seq)
                if event.seq >= sent.replies[0].seq:
                    break
            if number < 2:
                own_daemon.kill()
                own_daemon.start()
    assert seen == list(range(1, seen[-1] + 1))


async def test_the_asynchronous_client_does_the_same(daemon: Daemon) -> None:
    async with AsyncClient(daemon.socket) as caxton:
        before = (await caxton.status()).journal.committed_seq
        sent = await caxton.send(ECHO, wait_s=10)
        found = []
        async for event in caxton.events(after=before, conversation=sent.conversation_id):
            found.append(event.data["message"]["id"])
            if len(found) == 2:
                break
        assert found == [sent.id, sent.replies[0].message.id]
        whole = await caxton.conversation(sent.conversation_id)
        assert [item.message.id for item in whole.items] == found
        assert await caxton.messages(conversation=sent.conversation_id) == whole.items
        with pytest.raises(errors.AgentNotFound):
            await caxton.agent("missing")


def test_both_clients_have_the_same_methods() -> None:
    def public(of: type) -> set[str]:
        return {name for name in vars(of) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
