"""One agent of another system: its card, and tasks that it is given.

In: calls of the daemon. Out: what a task came to, or Failed or Refused with a code. The messages of A2A have the ids of
ours, so a remote agent that keeps to the protocol's advice does a call that is made again only once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types.a2a_pb2 import (
    AgentCard,
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
)
from a2a.utils.errors import A2AError
from google.protobuf.json_format import ParseError

from caxton.effects.a2a.content import content_of, parts_of
from caxton.effects.a2a.vocabulary import Ask, Offer, Skill
from caxton.effects.own_process import Call, Failed, Refused, progress

BINDINGS: Final = ["JSONRPC", "HTTP+JSON"]
CARD_S: Final = 30.0
"""How long the card may take, and how long after a failure it is asked for again."""
LOOK_S: Final = (0.2, 3.0)
"""How often a task is looked at that was not ended by the answer: the first pause, and the longest."""
LEAVING_S: Final = 4.0
"""How long a call that nobody waits for may take to cancel its task."""
SKILLS: Final = 100
TEXT: Final = 500
_ENDS: Final = {
    TaskState.TASK_STATE_COMPLETED,
    TaskState.TASK_STATE_FAILED,
    TaskState.TASK_STATE_CANCELED,
    TaskState.TASK_STATE_REJECTED,
    TaskState.TASK_STATE_INPUT_REQUIRED,
    TaskState.TASK_STATE_AUTH_REQUIRED,
}
_TROUBLE: Final = (A2AError, httpx.HTTPError, ParseError, ValueError, NotImplementedError)
"""What the SDK raises for a remote agent that does not answer, or answers what cannot be read."""


class Settings(msgspec.Struct):
    """What a process is told: `headers` are names of environment variables."""

    url: str
    headers: dict[str, str] = {}


class Remote:
    """The remote agent at one URL; `tell` is told what its card says."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], tell: Callable[[Offer], None]) -> None:
        self._url = settings.url
        self._tell = tell
        own = {name: environ[variable] for name, variable in settings.headers.items() if variable in environ}
        # how long a call may take the daemon says
        self._http = httpx.AsyncClient(headers=own, timeout=httpx.Timeout(None, connect=10.0))
        # polling: the task's id is there at once, so that it can be cancelled
        config = ClientConfig(
            streaming=False,
            polling=True,
            httpx_client=self._http,
            supported_protocol_bindings=[*BINDINGS],
        )
        self._factory = ClientFactory(config)
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def run(self) -> None:
        """Read the card, and again until it can be read."""
        while True:
            with contextlib.suppress(Failed):
                await self._connected()
                return
            await asyncio.sleep(CARD_S)

    async def do(self, call: Call) -> object:
        """Answer a call."""
        asked = msgspec.convert(call.request, Ask)
        client = await self._connected()
        message = Message(
            message_id=call.id,
            task_id=asked.task,
            context_id=asked.context,
            role=Role.ROLE_USER,
            parts=parts_of(asked.content),
        )
        sending = asyncio.create_task(_said(client, message))
        try:
            said = await asyncio.shield(sending)
            if said.HasField("message"):
                return {
                    "task": None,
                    "context": said.message.context_id,
                    "result": content_of(said.message.parts),
                }
            return _came_of(await self._ended(client, call.id, said.task))
        except _TROUBLE as error:
            raise _failed(error) from error
        except asyncio.CancelledError:
            with contextlib.suppress(*_TROUBLE, TimeoutError):
                async with asyncio.timeout(LEAVING_S):
                    await client.cancel_task(CancelTaskRequest(id=(await sending).task.id))
            raise

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def _ended(self, client: Client, id: str, task: Task) -> Task:
        """The task when nothing comes any more."""
        pause, longest = LOOK_S
        told = TaskState.TASK_STATE_UNSPECIFIED
        while task.status.state not in _ENDS:
            if task.status.state != told:
                told = task.status.state
                progress(id, {"state": TaskState.Name(told)})
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)
            task = await client.get_task(GetTaskRequest(id=task.id))
        return task

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                try:
                    async with asyncio.timeout(CARD_S):
                        card = await A2ACardResolver(self._http, self._url).get_agent_card()
                    self._client = self._factory.create(at_home(card, self._url))
                except (*_TROUBLE, TimeoutError) as error:
                    why = f"the card of {self._url} cannot be read: {_words(error)}"
                    self._tell(Offer(down=why))
                    raise Failed("unavailable", why) from error
                skills = [Skill(one.name[:200], one.description[:TEXT]) for one in card.skills[:SKILLS]]
                self._tell(Offer(skills, card.description[:TEXT]))
            return self._client


def at_home(card: AgentCard, url: str) -> AgentCard:
    """The card with the interfaces at its own place only: what we say to it, secrets too, goes nowhere else.

    Raises ValueError where there is none.
    """
    home = urlsplit(url)
    here = [
        one
        for one in card.supported_interfaces
        if (urlsplit(one.url).scheme, urlsplit(one.url).netloc) == (home.scheme, home.netloc)
    ]
    if not here:
        raise ValueError(f"it names no interface at {home.scheme}://{home.netloc}")
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(here)
    return card


async def _said(client: Client, message: Message) -> StreamResponse:
    """What the remote agent answers at once: the task, or a single message."""
    return [one async for one in client.send_message(SendMessageRequest(message=message))][-1]


def _came_of(task: Task) -> object:
    """What a task came to, as a content; Failed or Refused where it is no result."""
    more: dict[str, Any] = {"task": task.id, "context": task.context_id}
    says = content_of(task.status.message.parts)
    reason = says if isinstance(says, str) else ""
    match task.status.state:
        case TaskState.TASK_STATE_COMPLETED:
            return more | {"result": content_of([part for one in task.artifacts for part in one.parts])}
        case TaskState.TASK_STATE_REJECTED:
            raise Refused("rejected", reason[:TEXT] or "the remote agent will not do it", says=says)
        case TaskState.TASK_STATE_INPUT_REQUIRED:
            hint = "ask again with this task and the answer as content"
            raise Failed(
                "input-required", reason[:TEXT] or "the remote agent asks", asks=says, hint=hint, **more
            )
        case TaskState.TASK_STATE_AUTH_REQUIRED:
            why = reason[:TEXT] or "the remote agent wants another credential"
            raise Failed("auth-required", why, says=says, **more)
        case TaskState.TASK_STATE_CANCELED:
            raise Failed("cancelled", reason[:TEXT] or "the remote agent has cancelled it", **more)
        case _:
            raise Failed("task-failed", reason[:TEXT] or "the remote agent has failed", says=says, **more)


def _failed(error: Exception) -> Failed:
    if isinstance(error, httpx.ConnectError):
        return Failed("unavailable", _words(error))
    return Failed("a2a", _words(error))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:TEXT]
