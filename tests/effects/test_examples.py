"""The examples that use models, over a provider on this machine that has good days and bad ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from testing.orders import EXAMPLES

from caxton.effects.models import complete
from caxton.effects.models.complete import Models, Place
from caxton.effects.own_process import Call, Failed
from caxton.testing import System, runtime

from .provider import Json, Provider, Reply, provider

pytestmark = [pytest.mark.timeout(900), pytest.mark.system, pytest.mark.usefixtures("python_runtime")]


@dataclass
class Line:
    """A provider that answers in a thread of its own, while a system is on virtual time."""

    at: Provider
    loop: asyncio.AbstractEventLoop

    def model(self, call: Json) -> Json:
        """What the process behind `model` does, over HTTP."""
        return asyncio.run_coroutine_threadsafe(self._asked(call), self.loop).result(30)

    async def _asked(self, call: Json) -> Json:
        place = Place(self.at.url, "x-1", "openai", None)
        async with httpx.AsyncClient(trust_env=False) as http:
            try:
                done = Call(call["id"], call["request"], 1_000)
                return {"inform": await Models({"fast": place}, {}, http).do(done)}
            except Failed as failed:
                return {"failure": failed.content}


@contextmanager
def line(*replies: Reply) -> Generator[Line]:
    """It, for as long as the block."""
    ready, over = threading.Event(), asyncio.Event()
    made: list[Line] = []

    async def serve() -> None:
        async with provider(*replies) as at:
            made.append(Line(at, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        made[0].loop.call_soon_threadsafe(over.set)
        thread.join()


@contextmanager
def example(name: str, *replies: Reply) -> Generator[tuple[System, Provider]]:
    with line(*replies) as there, runtime(EXAMPLES / name, effects={"model": there.model}) as system:
        yield system, there.at


def wants(name: str, **arguments: Any) -> Reply:
    return Reply("", calls=[{"id": name, "name": name, "arguments": arguments}])


def test_an_assistant_notes_and_looks_up() -> None:
    replies = [
        wants("note", topic="key", text="Ann has it"),
        Reply("I have noted it."),
        wants("look_up", topic="key"),
        Reply("Ann."),
    ]
    with example("assistant", *replies) as (system, at):
        assert system.ask("Remember that Ann has the key.", to="assistant")["content"] == "I have noted it."
        system.restart()
        assert system.ask("Who has the key?", to="assistant")["content"] == "Ann."
        told = at.requests[3][2]["messages"]
        assert [one["role"] for one in told] == ["system", "user", "assistant", "tool"]
        assert told[3]["content"] == "Ann has it"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply("slow down", status=429, headers={"retry-after": "60"}), "rate-limited"),
        (Reply("cut", cut=1), "provider"),
        (Reply(raw=b'{"choices": 5}'), "provider"),
        (Reply("no", status=401), "provider"),
    ],
)
def test_whoever_asks_an_assistant_is_told_of_a_bad_day(reply: Reply, error: str) -> None:
    with example("assistant", reply) as (system, at):
        answer = system.ask("Who has the key?", to="assistant", protocol="fipa-request")
        assert (answer["performative"], answer["content"]["error"]) == ("failure", error)
        assert len(at.requests) == 1
        assert not [row for row in system.rows()["event"] if row[2] == "violation"]


def test_a_busy_provider_is_waited_for_by_an_assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete, "FIRST_S", 0.01)
    with example("assistant", Reply(status=429), Reply("hello")) as (system, at):
        assert system.ask("Hello?", to="assistant")["content"] == "hello"
        assert len(at.requests) == 2


@pytest.mark.parametrize(
    ("bids", "text", "bidders"),
    [
        (['{"weight": 3, "fault": "long"}', '{"weight": 8, "fault": "dark"}'], "rewritten", 2),
        (["this is no JSON", "this is no JSON"], "a draft", 0),
    ],
)
def test_two_critics_bid_and_the_heavier_one_rewrites(bids: list[str], text: str, bidders: int) -> None:
    first = [Reply("a draft"), *(Reply(bid) for bid in bids)]
    rest = [Reply("rewritten")] if bidders else [Reply(bids[0])]
    with example("review", *first, *rest) as (system, _):
        answer = system.ask("the sea", to="writer", protocol="fipa-request")
        assert answer["performative"] == "inform"
        assert answer["content"]["text"] == text
        assert (answer["content"]["by"] is not None) == bool(bidders)
        assert len(system.messages(performative="propose")) == bidders
        assert len(system.messages(performative="refuse")) == 2 - bidders
        assert len(system.messages(performative="reject-proposal")) == max(bidders - 1, 0)
        assert not [row for row in system.rows()["event"] if row[2] == "violation"]
