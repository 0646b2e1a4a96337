"""What clients of A2A ask of one agent, by the daemon's API and in their own name.

In: requests as the SDK has read them. Out: tasks, and what happens to them. Nothing is kept here: a task is a
conversation in the journal, its id the conversation's, and a message's id the key by which it is said once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from typing import Any, Final, cast
from uuid import uuid4

from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import (
    ExtendedAgentCardNotConfiguredError,
    InternalError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from caxton.client import AsyncClient
from caxton.effects.a2a.content import content_of, plain_text
from caxton.errors import (
    AgentNotFound,
    CaxtonError,
    ConversationNotFound,
    InvalidMessage,
    KeyTaken,
    SecurityError,
)
from caxton.gateways.a2a.tasks import ASKS, ENDED, MARK, Seen, held_task, task_of
from caxton.gateways.own_process import Place
from caxton.schemas.messages import ConversationDetail
from caxton.schemas.shape import Message as Said

REPLY_BY: Final = "1h"
"""Until when the agent may answer."""
CANCEL_BY: Final = "10s"
WAIT_S: Final = 90.0
"""How long a request waits for the task's end; then it is told how far the task is."""
LOOK_S: Final = 2.0
"""How often a task is looked at where nothing is said: deadlines say nothing."""
MOST_MESSAGES: Final = 1000
MOST_TALKS: Final = 1000
"""Conversations of the asker that are looked through for the agent's questions."""
PAGE: Final = 50
PROTOCOL: Final = "fipa-request"
SUBSCRIBE: Final = "fipa-subscribe"


class Handler:
    """The SDK's `RequestHandler` for one agent."""

    def __init__(self, agent: str, place: Place) -> None:
        self._agent = agent
        self._place = place

    async def on_message_send(self, params: SendMessageRequest, context: object) -> Task | Message:
        """Say it, and wait for the end unless the client will not."""
        async with self._asking() as client:
            id, after = await self._say(client, params)
            if params.configuration.return_immediately:
                return await self._task(client, id, _length(params.configuration))
            async with asyncio.timeout(WAIT_S) as patience:
                try:
                    async for _ in self._changes(client, id, after):
                        pass
                except TimeoutError:
                    if not patience.expired():
                        raise
            return await self._task(client, id, _length(params.configuration))

    async def on_message_send_stream(
        self, params: SendMessageRequest, context: object
    ) -> AsyncGenerator[object]:
        """Say it, and tell what comes of it."""
        async with self._asking() as client:
            id, after = await self._say(client, params)
            async for event in self._told(client, id, after):
                yield event

    async def on_get_task(self, params: GetTaskRequest, context: object) -> Task | None:
        """How a task is."""
        async with self._asking() as client:
            return await self._task(client, params.id, _length(params))

    async def on_list_tasks(self, params: ListTasksRequest, context: object) -> ListTasksResponse:
        """Tasks of this agent, the newest first."""
        size = params.page_size or PAGE
        before = int(params.page_token) if params.page_token.isdigit() else None
        response = ListTasksResponse(page_size=size)
        async with self._asking() as client:
            while len(response.tasks) < size:
                talks = await client.conversations(agent=self._agent, before=before, limit=PAGE)
                for one in talks:
                    try:
                        seen = await self._read(client, one.id)
                    except TaskNotFoundError:
                        continue
                    before = seen.main.items[0].seq
                    task = task_of(seen, _length(params) or 0)
                    if params.context_id not in ("", task.context_id):
                        continue
                    if params.status not in (TaskState.TASK_STATE_UNSPECIFIED, task.status.state):
                        continue
                    response.tasks.append(task)
                    if len(response.tasks) == size:
                        response.next_page_token = str(before)
                        break
                if len(talks) < PAGE:
                    break
        response.total_size = len(response.tasks)
        return response

    async def on_cancel_task(self, params: CancelTaskRequest, context: object) -> Task | None:
        """Have the agent stop; TaskNotCancelableError where it has ended, or will not."""
        async with self._asking() as client:
            seen = await self._read(client, params.id)
            if task_of(seen).status.state in ENDED:
                raise TaskNotCancelableError("the task has ended")
            mark = f"cancel-{uuid4()}"
            said = await client.send(
                {
                    "performative": "cancel",
                    "receiver": self._agent,
                    "conversation_id": params.id,
                    "protocol": seen.first.protocol,
                    "reply_with": mark,
                    "reply_by": CANCEL_BY,
                }
            )
            async for task in self._changes(client, params.id, said.seq, asks_end=False):
                answers = (await self._read(client, params.id)).main.items
                no = [
                    one.message
                    for one in answers
                    if (one.message.performative, one.message.in_reply_to) == ("failure", mark)
                ]
                if no and task.status.state != TaskState.TASK_STATE_CANCELED:
                    raise TaskNotCancelableError(f"the agent goes on: {no[0].content}")
            task = await self._task(client, params.id)
            if task.status.state != TaskState.TASK_STATE_CANCELED:
                raise TaskNotCancelableError("the task has ended meanwhile")
            return task

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: object
    ) -> AsyncGenerator[object]:
        """Tell what comes of a task from now on."""
        async with self._asking() as client:
            if (await self._task(client, params.id)).status.state in ENDED:
                raise UnsupportedOperationError("the task has ended; get it instead")
            async for event in self._told(client, params.id, None, asks_end=False):
                yield event

    async def on_create_task_push_notification_config(self, params: object, context: object) -> object:
        """Refused: the daemon calls nobody."""
        raise PushNotificationNotSupportedError

    async def on_get_task_push_notification_config(self, params: object, context: object) -> object:
        """Refused, too."""
        raise PushNotificationNotSupportedError

    async def on_list_task_push_notification_configs(self, params: object, context: object) -> object:
        """Refused, too."""
        raise PushNotificationNotSupportedError

    async def on_delete_task_push_notification_config(self, params: object, context: object) -> None:
        """Refused, too."""
        raise PushNotificationNotSupportedError

    async def on_get_extended_agent_card(self, params: object, context: object) -> object:
        """There is none: the card says everything to whoever may read it."""
        raise ExtendedAgentCardNotConfiguredError

    # ------------------------------------------------------------------ speaking

    async def _say(self, client: AsyncClient, params: SendMessageRequest) -> tuple[str, int]:
        """Say a message of the client; the task, and the number of the message."""
        message = params.message
        if params.configuration.HasField("task_push_notification_config"):
            raise PushNotificationNotSupportedError
        if not message.message_id or not message.parts:
            raise InvalidParamsError("a message has an id and parts")
        said = await self._answer(client, message) if message.task_id else self._question(message)
        key = f"a2a-{sha256(message.message_id.encode()).hexdigest()}"
        sent = await client.send({**said, "reply_with": message.message_id}, idempotency_key=key)
        return message.task_id or sent.conversation_id, sent.seq

    def _question(self, message: Message) -> dict[str, Any]:
        told = dict(message.metadata.items())
        protocol = str(told.get("protocol", PROTOCOL))
        if protocol not in (PROTOCOL, SUBSCRIBE):
            raise InvalidParamsError(f"metadata.protocol is {PROTOCOL} or {SUBSCRIBE}")
        asked = {
            "performative": "subscribe" if protocol == SUBSCRIBE else "request",
            "receiver": self._agent,
            "protocol": protocol,
            "content": content_of(message.parts),
            MARK: {"context": message.context_id},
        }
        return asked if protocol == SUBSCRIBE else {**asked, "reply_by": REPLY_BY}

    async def _answer(self, client: AsyncClient, message: Message) -> dict[str, Any]:
        seen = await self._read(client, message.task_id)
        if message.context_id not in ("", seen.context):
            raise InvalidParamsError("the task belongs to another context")
        if task_of(seen).status.state in ENDED:
            raise UnsupportedOperationError("the task has ended; begin another one in its context")
        repeated = next(
            (one for one in seen.messages() if one.message.reply_with == message.message_id), None
        )
        question = _asked_before(seen, repeated.message) if repeated is not None else seen.question()
        if question is None:
            raise UnsupportedOperationError("the task asks nothing; wait for it, or cancel it")
        content = content_of(message.parts)
        act = "inform"
        if question.performative == "propose":
            said = cast("dict[str, Any]", content) if isinstance(content, dict) else None
            decision = said.get("decision") if said is not None else plain_text(message.parts)
            if decision not in ("accept", "reject"):
                raise InvalidParamsError(
                    'the agent proposes: answer with the data {"decision": "accept"} or "reject"'
                )
            act = f"{decision}-proposal"
        return {
            "performative": act,
            "receiver": self._agent,
            "conversation_id": question.conversation_id,
            "protocol": question.protocol,
            "in_reply_to": question.reply_with,
            "content": content,
        }

    # ------------------------------------------------------------------ reading

    async def _told(
        self, client: AsyncClient, id: str, after: int | None, *, asks_end: bool = True
    ) -> AsyncGenerator[object]:
        """The task, and then what changes of it."""
        before: Task | None = None
        async for task in self._changes(client, id, after, asks_end=asks_end):
            if before is None:
                yield task
            else:
                for event in _differences(before, task):
                    yield event
            before = task

    async def _changes(
        self, client: AsyncClient, id: str, after: int | None, *, asks_end: bool = True
    ) -> AsyncGenerator[Task]:
        """The task as it is and whenever it has changed, until it has ended or, with `asks_end`, asks something."""
        task = await self._task(client, id)
        news = asyncio.Event()
        speaker = (await client.identity()).name
        me = "operator" if speaker == "owner" else f"operator.{speaker}".lower()
        watching = asyncio.create_task(_watch(client, after, me, news))
        last = b""
        try:
            while True:
                if (now := task.SerializeToString(deterministic=True)) != last:
                    last = now
                    yield task
                state = task.status.state
                if state in ENDED or (asks_end and state in ASKS):
                    return
                try:
                    async with asyncio.timeout(LOOK_S):
                        await news.wait()
                except TimeoutError:
                    pass
                news.clear()
                task = await self._task(client, id)
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _task(self, client: AsyncClient, id: str, history: int | None = None) -> Task:
        try:
            return task_of(await self._read(client, id), history)
        except TaskNotFoundError:
            for one in await client.held(conversation=id):
                if self._is_mine(one.message):
                    return held_task(one)
            raise

    async def _read(self, client: AsyncClient, id: str) -> Seen:
        """A task's conversation and the agent's questions in it; TaskNotFoundError where it is none of this agent's."""
        try:
            main = await client.conversation(id, limit=MOST_MESSAGES)
        except ConversationNotFound:
            raise TaskNotFoundError(f"there is no task {id[:200]}") from None
        if not main.items or not self._is_mine(main.items[0].message):
            raise TaskNotFoundError(f"there is no task {id[:200]}")
        seen = Seen(main)
        if task_of(seen).status.state in ENDED:
            return seen
        talks = await client.conversations(agent=seen.client, limit=MOST_TALKS)
        asked = [one.id for one in talks if one.parent == id]
        return Seen(main, [await _whole(client, one) for one in reversed(asked)])

    def _is_mine(self, first: Said) -> bool:
        to = [name.partition("@")[0] for name in first.receiver]
        return MARK in first.json and to == [self._agent]

    @asynccontextmanager
    async def _asking(self) -> AsyncGenerator[AsyncClient]:
        with _translated():
            async with self._place.async_client() as client:
                yield client


async def _whole(client: AsyncClient, id: str) -> ConversationDetail:
    return await client.conversation(id, limit=MOST_MESSAGES)


async def _watch(client: AsyncClient, after: int | None, me: str, news: asyncio.Event) -> None:
    async for _ in client.events(after=after, kinds=("message",), agent=me):
        news.set()


def _differences(before: Task, now: Task) -> list[object]:
    """What has become of a task, as events."""
    events: list[object] = []
    had = len(before.artifacts[0].parts) if before.artifacts else 0
    if now.artifacts and len(now.artifacts[0].parts) > had:
        event = TaskArtifactUpdateEvent(task_id=now.id, context_id=now.context_id, append=had > 0)
        event.artifact.CopyFrom(now.artifacts[0])
        del event.artifact.parts[:had]
        event.last_chunk = now.status.state in ENDED
        events.append(event)
    if (now.status.state, now.status.message) != (before.status.state, before.status.message):
        events.append(
            TaskStatusUpdateEvent(
                task_id=now.id, context_id=now.context_id, status=now.status, metadata=now.metadata
            )
        )
    return events


def _asked_before(seen: Seen, answer: Said) -> Said:
    """What that answer, which is said again, has answered."""
    return next(
        one.message
        for one in reversed(seen.messages())
        if one.message.conversation_id == answer.conversation_id and seen.client in one.message.receiver
    )


def _length(asked: Any) -> int | None:
    return int(asked.history_length) if asked.HasField("history_length") else None


@contextmanager
def _translated() -> Generator[None]:
    """Caxton's refusals as A2A's errors."""
    try:
        yield
    except (InvalidMessage, KeyTaken) as error:
        raise InvalidParamsError(_sentence(error)) from error
    except (SecurityError, AgentNotFound) as error:
        raise UnsupportedOperationError(_sentence(error)) from error
    except CaxtonError as error:
        raise InternalError(_sentence(error)) from error


def _sentence(error: CaxtonError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
