"""Tasks over HTTP, against a real daemon with the sellers of the market."""

from __future__ import annotations

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tasks.market import says

from api.process import EXAMPLES, Daemon, running
from caxton.client import AsyncClient
from caxton.errors import InvalidState, InvalidTask, MessageTooLarge, SecurityError, TaskNotFound
from caxton.schemas.messages import TaskSummaryBody
from caxton.schemas.shape import plain, shaped

CONFIGURATION = """
cells = 1
[agents.ann]
wasm = "seller.wasm"
settings = { price = 40, mood = "steady", seed = 7 }
[agents.bob]
wasm = "seller.wasm"
settings = { price = 44, mood = "steady", seed = 7 }
[agents.mute]
wasm = "mute.wat"
"""
BUY = {
    "protocol": "contract-net",
    "to": ["ann", "bob"],
    "content": {"item": "book"},
    "choose": "lowest:price",
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    folder = tmp_path_factory.mktemp("tasks") / "market"
    folder.mkdir()
    (folder / "seller.wasm").write_bytes((EXAMPLES / "market" / "seller.wasm").read_bytes())
    (folder / "mute.wat").write_bytes(says({}))
    with running(folder, CONFIGURATION) as daemon:
        yield daemon


def test_one_call_runs_a_contract_net(market: Daemon) -> None:
    with market.client() as caxton:
        task = caxton.run_task(BUY)
        assert (task.state, task.outcome, task.ending) == ("Completed", "awarded", "achieved")
        assert (task.protocol, task.conversation_id) == ("fipa-contract-net", task.id)
        assert sum(branch.awarded for branch in task.branches) == 1
        (won,) = [branch for branch in task.branches if branch.awarded]
        assert (won.result or {})["content"] == {"done": True, **won.proposal}
        assert task.received == {"propose": 2, "inform": 1}
        assert caxton.task(task.id) == task
        said = caxton.conversation(task.id).items
        assert said[0].message.performative == "cfp"
        assert task.ended_at is not None
        assert task.ended_at >= said[-1].at


def test_a_task_that_runs_is_shown_as_it_stands_and_goes_on_without_its_client(market: Daemon) -> None:
    with market.client() as caxton:
        begun = caxton.run_task({**BUY, "to": "mute,ann", "reply_by": "700ms"}, wait_s=0)
        assert begun.ended_at is None
        assert begun.request["choose"] == "lowest:price"
        assert begun.branches[0].state == "cfp-sent"
    with market.client() as caxton:
        ended = caxton.task(begun.id, wait_s=30)
        assert [branch.state for branch in ended.branches] == ["no-response", "done"]
        assert (ended.missing, ended.ending) == (1, "achieved")
        first, *_ = caxton.tasks(limit=1)
        assert first == shaped({key: plain(ended)[key] for key in plain(first)}, TaskSummaryBody)


def test_a_task_is_cancelled(market: Daemon) -> None:
    with market.client() as caxton:
        begun = caxton.run_task({"protocol": "request", "to": "mute", "reply_by": "1h"}, wait_s=0)
        found = caxton.cancel_task(begun.id)
        assert found.ending == "cancelled"
        assert found.branches[0].state == "cancelled-unconfirmed"
        with pytest.raises(InvalidState, match="has ended"):
            caxton.cancel_task(begun.id)


def test_tasks_are_listed_in_pages_newest_first(market: Daemon) -> None:
    with market.client() as caxton:
        ids = [caxton.run_task({"protocol": "query", "act": "query-ref", "to": ["ann"]}).id for _ in range(3)]
        assert [task.id for task in caxton.tasks(limit=3)] == ids[::-1]
    with _http(market) as http:
        page = http.get("/api/v1/tasks", params={"limit": 1}).json()
        following = http.get("/api/v1/tasks", params={"limit": 1, "before": page["next"]}).json()
        assert [page["items"][0]["id"], following["items"][0]["id"]] == ids[:0:-1]


def test_what_began_and_ended_comes_as_events(market: Daemon) -> None:
    with market.client() as caxton:
        after = caxton.status().journal.committed_seq
        task = caxton.run_task(BUY)
        events = caxton.events(after=after, kinds=["task"])
        began, ended = next(events).data, next(events).data
        events.close()
        assert (began["id"], began["what"]) == (ended["id"], "begun") == (task.id, "begun")
        assert (ended["what"], ended["ending"], ended["outcome"]) == ("ended", "achieved", "awarded")


async def test_the_other_client_does_the_same(market: Daemon) -> None:
    async with AsyncClient(market.socket) as caxton:
        task = await caxton.run_task(BUY, wait_s=20)
        assert task.ending == "achieved"
        assert await caxton.task(task.id) == task
        assert (await caxton.tasks(limit=1))[0].id == task.id


@pytest.mark.parametrize(
    ("body", "kind", "says_why"),
    [
        ({**BUY, "protocol": "brokering"}, InvalidTask, "cannot be run in one call"),
        ({**BUY, "colour": "red"}, InvalidTask, "colour: Extra inputs are not permitted"),
        ({**BUY, "winners": "two"}, InvalidTask, "winners: Input should be a valid integer"),
        ({**BUY, "to": []}, InvalidTask, "nobody is named"),
        ({"to": ["ann"]}, InvalidTask, "protocol: Field required"),
        ({**BUY, "sender": "bill"}, SecurityError, "a client cannot speak as bill@local"),
        ({**BUY, "content": "x" * 300_000}, MessageTooLarge, "the limit of a message"),
    ],
)
def test_what_is_no_task_is_refused(
    market: Daemon, body: dict[str, object], kind: type[Exception], says_why: str
) -> None:
    with market.client() as caxton:
        before = caxton.tasks(limit=1)
        with pytest.raises(kind, match=says_why):
            caxton.run_task(body)
        assert caxton.tasks(limit=1) == before


def test_a_request_that_is_repeated_with_its_key_begins_one_task(market: Daemon) -> None:
    def begin(body: bytes, key: str) -> httpx.Response:
        return http.post(
            "/api/v1/tasks", params={"wait": "20s"}, content=body, headers={"Idempotency-Key": key}
        )

    asked, other = (json.dumps({**BUY, "content": item}).encode() for item in ("book", "lamp"))
    with _http(market) as http, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: begin(asked, "k"), range(2))
        assert first.status_code == 201
        assert first.json() == second.json() == begin(asked, "k").json()
        assert begin(asked, "another").json()["id"] != first.json()["id"]
        bills = json.dumps({**BUY, "content": "book", "sender": "operator.bill"}).encode()
        assert begin(bills, "k").json()["id"] != first.json()["id"], "a key is its client's"
        taken = begin(other, "k")
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "key_taken")
        assert begin(asked, "two words").status_code == 400
        message = {"performative": "request", "receiver": "ann", "content": 1}
        sent = http.post("/api/v1/messages", json=message, headers={"Idempotency-Key": "k"})
        assert sent.status_code == 202, "messages have keys of their own"


def test_no_task_of_that_id(market: Daemon) -> None:
    with market.client() as caxton, pytest.raises(TaskNotFound, match="there is no task 't-1'"):
        caxton.task("t-1")


def test_a_body_that_is_no_object_and_a_wait_that_is_none(market: Daemon) -> None:
    with _http(market) as http:
        for content in (b"", b"[]", b"{", b'{"protocol": "\xff"}'):
            said = http.post("/api/v1/tasks", content=content)
            assert (said.status_code, said.json()["error"]["code"]) == (400, "invalid_task"), content
        assert http.post("/api/v1/tasks", params={"wait": "soon"}, json=BUY).status_code == 400


def test_a_daemon_that_stops_and_starts_goes_on_with_the_task_and_so_does_who_waits(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mute.wat").write_bytes(says({}))
    with running(folder, 'cells = 1\n[agents.mute]\nwasm = "mute.wat"\n') as daemon:
        with daemon.client() as caxton:
            task = caxton.run_task({"protocol": "request", "to": "mute", "reply_by": "1s"}, wait_s=0)
        daemon.kill()
        daemon.start()
        with daemon.client() as caxton:
            ended = caxton.task(task.id, wait_s=30)
            assert (ended.ending, ended.branches[0].state) == ("timed-out", "timed-out")
            after = caxton.status().journal.committed_seq
        with ThreadPoolExecutor(1) as pool, daemon.client(30) as waiting, daemon.client() as watching:
            asked = pool.submit(waiting.run_task, {"protocol": "request", "to": "mute", "reply_by": "1h"})
            begun = next(watching.events(after=after, kinds=["task"])).data
            watching.close()
            assert daemon.stop() == 0
            daemon.start()
            with daemon.client() as caxton:
                assert caxton.task(begun["id"]).ended_at is None
                caxton.cancel_task(begun["id"], wait_s=0)
            answer = asked.result(30)
            assert (answer.id, answer.ending) == (begun["id"], "cancelled")


def _http(daemon: Daemon) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(daemon.socket)), base_url="http://caxton")
