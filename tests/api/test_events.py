"""The event stream of a real daemon at full speed: whoever watches, every row is sent or counted."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

from api.process import Daemon, running
from caxton.api.stream import hub
from caxton.client import Client
from caxton.client.answers import EventReader, StreamEvent
from caxton.errors import InvalidMessage, ResourceError

HOPS = 10_000
PAIR = f"""
cells = 1
[limits]
hops = {HOPS}
[agents.left]
wasm = "relay.wasm"
[agents.right]
wasm = "relay.wasm"
"""


def play(caxton: Client) -> int:
    """Two agents answer each other until the hop limit, as fast as they can; the first row's number."""
    return int(
        caxton.send(
            {"receiver": "left", "performative": "inform", "content": {"n": 1}, "reply_to": ["right"]}
        ).seq
    )


def follow(event: StreamEvent, last: int) -> int:
    """The number after this event; every row follows its predecessor, or a gap says what is missing."""
    assert event.seq is not None
    if event.kind == "gap":
        assert event.data["from"] == last + 1
        assert event.data["lost"] == event.data["to"] - last
    else:
        assert event.seq == last + 1
    return event.seq


def test_a_quick_and_a_sleeping_viewer_both_account_for_every_row(tmp_path: Path) -> None:
    with running(tmp_path / "pair", PAIR) as daemon, daemon.client() as caxton:
        assert daemon.process is not None
        before = psutil.Process(daemon.process.pid).memory_info().rss
        with socket.socket(socket.AF_UNIX) as sleeper:
            sleeper.settimeout(30)
            sleeper.connect(str(daemon.socket))
            # HTTP/1.0, so that the answer comes as it is and not in chunks
            sleeper.sendall(b"GET /api/v1/events?after=0 HTTP/1.0\r\n\r\n")
            last = 0
            watching = caxton.events(after=0)
            with daemon.client() as speaking:
                first = play(speaking)
            for event in watching:
                last = follow(event, last)
                if event.kind == "dead_letter":
                    assert event.data["code"] == "hop_limit"
                    break
            assert last >= first + HOPS
            grown = psutil.Process(daemon.process.pid).memory_info().rss - before
            assert grown < 64 * 1024**2
            stream = sleeper.makefile("rb")
            while stream.readline() != b"\r\n":
                pass
            reader, slept = EventReader(), 0
            while slept < last:
                for event in reader.feed(stream.read1(1 << 20)):
                    slept = follow(event, slept)
            stream.close()


def test_what_cannot_be_asked(caxton: Client) -> None:
    with pytest.raises(InvalidMessage):
        next(caxton.events(kinds=["a b"]))


def test_the_sixty_fifth_viewer_is_refused(own_daemon: Daemon) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(own_daemon.client()).events(after=0) for _ in range(hub.MOST_VIEWERS)]
        for stream in streams:
            stack.enter_context(closing(stream))
            assert next(stream).seq == 1
        late = stack.enter_context(own_daemon.client())
        with pytest.raises(ResourceError):
            next(late.events(after=0))
        assert f"caxton_event_viewers {hub.MOST_VIEWERS}" in late.metrics()
