"""A2A: the SDK's own client against the gateway, every row of the mapping, and tasks over a restart."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

pytest.importorskip("a2a")

from a2a.client import Client, ClientConfig, create_client
from a2a.helpers import new_data_part, new_text_part
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
)
from a2a.utils.errors import (
    A2AError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from google.protobuf.json_format import MessageToDict

from caxton.effects.a2a.remote import Remote, Settings, at_home
from caxton.effects.a2a.vocabulary import Offer, Skill
from caxton.effects.own_process import Call, Failed
from caxton.gateways.a2a.card import card_of
from caxton.sandbox.python.build import PythonRuntime

from .served import Served, served

pytestmark = pytest.mark.system

AGENTS = """
[agents.desk]
wasm = "desk.py"
a2a = true
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, python_runtime: PythonRuntime) -> Generator[Served]:
    folder = tmp_path_factory.mktemp("a2a") / "shop"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "desk.py", folder)
    with served(folder, AGENTS) as shop:
        yield shop


@asynccontextmanager
async def asking(
    shop: Served, binding: str = "JSONRPC", role: str = "operator", *, streaming: bool = False
) -> AsyncGenerator[Client]:
    async with httpx.AsyncClient(headers=shop.headers(role), timeout=60) as http:
        config = ClientConfig(streaming=streaming, httpx_client=http, supported_protocol_bindings=[binding])
        yield await create_client(f"{shop.url}/a2a/desk", config)


def message(said: Any, **more: Any) -> Message:
    part = new_text_part(said) if isinstance(said, str) else new_data_part(said)
    return Message(**{"message_id": str(uuid4()), "role": Role.ROLE_USER, "parts": [part], **more})


async def sent(client: Client, said: Any, **more: Any) -> Task:
    """The task that comes of a message, when its answer is there."""
    asked = said if isinstance(said, Message) else message(said, **more)
    (one,) = [event async for event in client.send_message(SendMessageRequest(message=asked))]
    return one.task


async def begun(client: Client, said: Any, **more: Any) -> Task:
    """The task, without waiting for it."""
    now = SendMessageConfiguration(return_immediately=True)
    asked = SendMessageRequest(message=message(said, **more), configuration=now)
    (one,) = [event async for event in client.send_message(asked)]
    return one.task


async def until(shop: Served, task: Task, state: str) -> Task:
    """The task when it has come to that state."""
    async with asking(shop, streaming=True) as client:
        try:
            async for event in client.subscribe(SubscribeToTaskRequest(id=task.id)):
                now = event.task.status if event.HasField("task") else event.status_update.status
                if name(now.state) == state:
                    break
        except UnsupportedOperationError:
            pass  # it had ended before
        found = await client.get_task(GetTaskRequest(id=task.id))
        if name(found.status.state) == state:
            return found
    raise AssertionError(f"the task never was {state}")


def name(state: Any) -> str:
    return str(TaskState.Name(state)).removeprefix("TASK_STATE_")


def metadata(task: Task) -> dict[str, Any]:
    return dict(MessageToDict(task.metadata))


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_a_request_is_a_task_with_its_result(shop: Served, binding: str) -> None:
    async with asking(shop, binding) as client:
        task = await sent(client, {"word": "hello", "n": 3}, context_id="c-1")
        assert name(task.status.state) == "COMPLETED"
        assert task.context_id == "c-1"
        assert MessageToDict(task.artifacts[0].parts[0].data) == {"echo": {"word": "hello", "n": 3}}
        assert [one.role for one in task.history] == [Role.ROLE_USER]
        with shop.daemon.client() as caxton:
            first, last = caxton.conversation(task.id).items
        assert first.message.sender == "operator.operator@local"
        assert first.message.content == {"word": "hello", "n": 3}
        assert last.message.performative == "inform"
        assert (await client.get_task(GetTaskRequest(id=task.id))) == task
        text = await sent(client, "hello")
        assert MessageToDict(text.artifacts[0].parts[0].data) == {"echo": "hello"}
        assert text.context_id == text.id
        listed = await client.list_tasks(ListTasksRequest(context_id="c-1", page_size=1))
        assert [one.id for one in listed.tasks] == [task.id]


@pytest.mark.parametrize(
    ("word", "state", "more"),
    [
        ("refuse", "REJECTED", {}),
        ("what", "REJECTED", {}),
        ("fail", "FAILED", {"code": "broken", "reason": "the press jams"}),
        ("agree what", "FAILED", {}),
        ("trap", "FAILED", {"code": "guest_error"}),
        ("ask", "INPUT_REQUIRED", {}),
        ("propose", "INPUT_REQUIRED", {}),
        ("do", "INPUT_REQUIRED", {}),
        ("sign in", "AUTH_REQUIRED", {}),
    ],
)
async def test_what_the_agent_says_is_the_tasks_state(
    shop: Served, word: str, state: str, more: dict[str, str]
) -> None:
    async with asking(shop) as client:
        task = await sent(client, word)
        assert name(task.status.state) == state
        assert more.items() <= metadata(task).items(), metadata(task)
        assert task.status.message.parts
        assert not task.artifacts
        if state in ("INPUT_REQUIRED", "AUTH_REQUIRED"):
            said: Any = {"decision": "accept"} if word == "propose" else "blue"
            done = await sent(client, said, task_id=task.id)
            assert name(done.status.state) == "COMPLETED"
            act = "accept-proposal" if word == "propose" else "inform"
            assert MessageToDict(done.artifacts[0].parts[0].data) == {"act": act, "said": said}
        with pytest.raises(UnsupportedOperationError, match="has ended"):
            await sent(client, "more", task_id=task.id)


async def test_a_task_that_waits_is_working_and_cancelled_where_the_agent_lets_it_be(shop: Served) -> None:
    async with asking(shop) as client:
        silent = await until(shop, await begun(client, "silent"), "WORKING")
        agreed = await until(shop, await begun(client, "agree"), "WORKING")
        assert agreed.status.message.parts[0].text == "as soon as I can"
        for task in (silent, agreed):
            assert name((await client.cancel_task(CancelTaskRequest(id=task.id))).status.state) == "CANCELED"
        stubborn = await until(shop, await begun(client, "stubborn"), "WORKING")
        with pytest.raises(TaskNotCancelableError, match="it is too late"):
            await client.cancel_task(CancelTaskRequest(id=stubborn.id))
        assert name((await client.get_task(GetTaskRequest(id=stubborn.id))).status.state) == "WORKING"
        with pytest.raises(TaskNotCancelableError, match="has ended"):
            await client.cancel_task(CancelTaskRequest(id=silent.id))


async def test_a_message_is_said_once_and_one_that_breaks_the_protocol_is_in_the_metadata(
    shop: Served,
) -> None:
    async with asking(shop) as client:
        once = message("hello")
        assert (await sent(client, once)).id == (await sent(client, once)).id
        wrong = await until(shop, await begun(client, "wrong"), "WORKING")
        assert metadata(wrong)["violations"][0]["sender"] == "desk@local"
        question = await sent(client, "propose")
        with pytest.raises(A2AError, match="answer with the data"):
            await sent(client, "maybe", task_id=question.id)
        no = await sent(client, {"decision": "reject"}, task_id=question.id)
        assert MessageToDict(no.artifacts[0].parts[0].data)["act"] == "reject-proposal"


async def test_a_held_message_is_a_task_that_works(shop: Served) -> None:
    with shop.daemon.client() as caxton:
        point = caxton.add_break("to:desk content:held")
        async with asking(shop) as client:
            task = await begun(client, "held")
            assert name(task.status.state) == "WORKING"
            assert len(metadata(task)["held"]) == 1
            caxton.remove_break(point.id)
            caxton.release(int(metadata(task)["held"][0]))
            done = await until(shop, task, "COMPLETED")
            assert "held" not in metadata(done)


async def test_streams_tell_the_task_its_artifacts_and_its_end(shop: Served) -> None:
    async with asking(shop, streaming=True) as client:
        events = [one async for one in client.send_message(SendMessageRequest(message=message("hello")))]
        assert events[0].HasField("task")
        assert _end(events) == "COMPLETED"
        news = message("news")
        news.metadata.update({"protocol": "fipa-subscribe"})
        parts: list[Any] = []
        async for one in client.send_message(SendMessageRequest(message=news)):
            artifacts = one.task.artifacts if one.HasField("task") else [one.artifact_update.artifact]
            parts += [part for artifact in artifacts for part in artifact.parts]
            if len(parts) == 2:
                break
        assert parts[0].text == "first"
        assert MessageToDict(parts[1].data) == {"n": 2}


def _end(events: list[StreamResponse]) -> str:
    last = events[-1]
    return name((last.task if last.HasField("task") else last.status_update).status.state)


async def test_what_is_refused(shop: Served) -> None:
    async with asking(shop) as client, asking(shop, role="viewer") as viewer:
        with pytest.raises(TaskNotFoundError):
            await client.get_task(GetTaskRequest(id="none"))
        push = TaskPushNotificationConfig(task_id="none", url="http://127.0.0.1:9")
        with pytest.raises(PushNotificationNotSupportedError):
            await client.create_task_push_notification_config(push)
        with pytest.raises(UnsupportedOperationError, match="is for operator and above"):
            await sent(viewer, "hello")
    with httpx.Client(base_url=shop.url, timeout=60) as http:
        place = "/a2a/desk/.well-known/agent-card.json"
        assert http.get(place).status_code == 401
        assert http.get(place, headers=shop.headers("viewer", "echo")).status_code == 403
        card = http.get(place, headers=shop.headers("viewer")).json()
        assert card["supportedInterfaces"][0]["url"] == f"{shop.url}/a2a/desk"
        assert http.get("/.well-known/agent-card.json", headers=shop.headers("viewer")).json() == card
        unmarked = http.get("/a2a/echo/.well-known/agent-card.json", headers=shop.headers("viewer"))
        assert (unmarked.status_code, unmarked.json()["error"]["hint"]) == (
            404,
            "in caxton.toml: [agents.echo] a2a = true",
        )
        old = {"jsonrpc": "2.0", "id": 1, "method": "message/send"}
        part = {"kind": "text", "text": "hello"}
        said = {"kind": "message", "messageId": "m-03", "role": "user", "parts": [part]}
        answer = http.post(
            "/a2a/desk", json={**old, "params": {"message": said}}, headers=shop.headers("operator")
        )
        assert answer.json()["result"]["status"]["state"] == "completed", answer.text


async def test_tasks_go_on_after_a_restart(shop: Served) -> None:
    async with asking(shop) as client:
        waiting, asked = (
            await begun(client, "ask"),
            await until(shop, await begun(client, "agree"), "WORKING"),
        )
        shop.daemon.kill()
        shop.daemon.start()
        found = await client.get_task(GetTaskRequest(id=asked.id))
        assert (name(found.status.state), found.history) == ("WORKING", asked.history)
        waiting = await client.get_task(GetTaskRequest(id=waiting.id))
        assert name(waiting.status.state) == "INPUT_REQUIRED"
        done = await sent(client, "red", task_id=waiting.id)
        assert name(done.status.state) == "COMPLETED"
        assert name((await client.cancel_task(CancelTaskRequest(id=asked.id))).status.state) == "CANCELED"


async def test_a_remote_agent_is_asked_by_a_process_of_the_daemons(shop: Served) -> None:
    told: list[Offer] = []
    environ = {"PARTNER": f"Bearer {shop.token('operator')}"}
    remote = Remote(Settings(f"{shop.url}/a2a/desk", {"Authorization": "PARTNER"}), environ, told.append)
    await remote.run()
    assert told[0].skills == [Skill("request", "What desk does when it is asked.")]

    async def asked(content: Any, **more: str) -> Any:
        call = Call(str(uuid4()), {"content": content, **more})
        try:
            return await remote.do(call)
        except Failed as failed:
            return type(failed).__name__, failed.content

    done = await asked({"word": "hello", "n": 3})
    assert done["result"] == {"echo": {"word": "hello", "n": 3}}
    kind, said = await asked("refuse")
    assert (kind, said["error"], said["reason"]) == ("Refused", "rejected", "not today")
    kind, said = await asked("fail")
    assert (kind, said["error"]) == ("Failed", "task-failed")
    assert said["says"] == {"error": "broken", "reason": "the press jams"}
    kind, said = await asked("ask")
    assert (kind, said["error"], said["asks"]) == ("Failed", "input-required", "which colour?")
    done = await asked("blue", task=said["task"])
    assert done["result"] == {"act": "inform", "said": "blue"}
    assert (await asked("sign in"))[1]["error"] == "auth-required"
    assert (await asked("more", task=done["task"]))[1]["error"] == "a2a"
    once = Call("the-same-id", {"content": "hello"})
    assert await remote.do(once) == await remote.do(once)
    # who gives up has the remote task cancelled
    waiting = asyncio.create_task(remote.do(Call("given-up", {"content": "agree"})))
    async with asking(shop) as client:
        while True:
            listed = (await client.list_tasks(ListTasksRequest(page_size=1))).tasks
            if name(listed[0].status.state) == "WORKING":
                break
        waiting.cancel()
        await asyncio.wait([waiting])
        await until(shop, listed[0], "CANCELED")
    await remote.close()


async def test_a_stream_ends_with_its_token(shop: Served) -> None:
    async with asking(shop) as client:
        task = await until(shop, await begun(client, "agree"), "WORKING")
    with shop.daemon.client() as caxton:
        secret = caxton.create_token("fleeting", "viewer").secret
        headers = {"Authorization": f"Bearer {secret}", "A2A-Version": "1.0"}
        async with httpx.AsyncClient(base_url=shop.url, headers=headers, timeout=30) as http:
            async with http.stream("GET", f"/a2a/desk/tasks/{task.id}:subscribe") as stream:
                lines = stream.aiter_lines()
                assert task.id in await anext(lines)
                caxton.revoke_token("fleeting")
                assert not [line async for line in lines if line.startswith("data")]
            assert (await http.get(f"/a2a/desk/tasks/{task.id}")).status_code == 401


async def test_a_card_leads_to_its_own_place_only(shop: Served) -> None:
    told: list[Offer] = []
    elsewhere = shop.url.replace("127.0.0.1", "localhost")
    remote = Remote(Settings(f"{elsewhere}/a2a/desk"), {}, told.append)
    with pytest.raises(Failed, match="cannot be read"):
        await remote.do(Call("c", {"content": "hello"}))
    assert "401" in str(told[0].down)
    card = card_of("desk", "https://evil.example", [])
    with pytest.raises(ValueError, match="names no interface at http://localhost"):
        at_home(card, elsewhere)
    await remote.close()
