"""The connection to one MCP server: a task of its own keeps it, calls go over it side by side.

In: calls of the daemon. Out: the tool's answer, or Failed or Refused with a code; what the server offers, whenever
that changes. When the connection ends `run` returns why, and what was open then is not answered: the process ends, by
which the daemon knows that nobody can say whether it was done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

import mcp_types
import msgspec
from mcp import Client, MCPError
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp_types import CONNECTION_CLOSED, PARSE_ERROR

import caxton
from caxton.effects.own_process import Call, Failed, Refused
from caxton.effects.tools.catalogue import BadSchema, Catalogue
from caxton.effects.tools.transports import TOO_LONG, Connect
from caxton.effects.tools.vocabulary import Ask, Offer, Offered

CONNECT_S: Final = 60.0
LIST_S: Final = 30.0
PAGES: Final = 100
LISTED: Final = 2_000
CHANGE_S: Final = 1.0
"""A server's list is read no more often."""
PROGRESS_S: Final = 0.5
"""How often a call's progress is told."""
TEXT: Final = 2_000
SESSION_OVER: Final = "Session terminated"
"""What the SDK says where a server of the older protocols has been started anew."""
MESSAGE_ID: Final = "caxton/message-id"
"""Where a call's idempotency key stands in what MCP calls `_meta`."""
Json = dict[str, Any]

log = logging.getLogger("caxton.tools")


class Server:
    """One of them. `connect` makes the connection, `tell` says what it offers, `progress` how far a call is."""

    def __init__(
        self,
        connect: Connect,
        offered: Offered,
        tell: Callable[[object], None],
        progress: Callable[[str, object], None],
    ) -> None:
        self._connect = connect
        self._offered = offered
        self._tell = tell
        self._progress = progress
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._catalogue = Catalogue([], offered)
        self._changed = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> str:
        """Keep the connection until it ends; returns why it did."""
        try:
            async with asyncio.timeout(CONNECT_S) as patience, self._connect(self._over) as streams:
                await self._connected(streams, patience)
            return "the server has ended"
        except TimeoutError:
            why = f"the server did not say within {CONNECT_S:g} s what it offers"
        except Exception as error:  # noqa: BLE001 - the supervisor's loop: whatever a server makes of the SDK
            why = "the server cannot be reached: " + "; ".join(_sentences(error))[:500]
        self._down(why)
        return why

    async def _connected(self, streams: Any, patience: asyncio.Timeout) -> None:
        us = mcp_types.Implementation(name="caxton", version=caxton.__version__)
        async with Client(
            _Entered(streams), cache=None, message_handler=self._hear, client_info=us
        ) as client:
            await self._list(client)
            patience.reschedule(None)
            self._client.set_result(client)
            await self._keep(client)

    async def do(self, call: Call) -> object:
        """Answer a call."""
        asked = msgspec.convert(call.request, Ask)
        client = await asyncio.shield(self._client)
        if asked.tool not in self._catalogue:
            there = ", ".join(self._catalogue.names)[:500] or "none"
            raise Refused("unknown-tool", f"there is no tool {asked.tool}", hint=f"tools here: {there}")
        try:
            wrong = self._catalogue.faults(asked.tool, asked.arguments)
        except BadSchema as error:
            raise Refused("bad-schema", f"the schema of {asked.tool} cannot be used: {error}") from error
        if wrong:
            raise Refused("bad-arguments", "; ".join(wrong), hint=f"the schema of {asked.tool} is in the df")
        try:
            result = await client.call_tool(
                asked.tool,
                asked.arguments,
                progress_callback=self._telling(call.id),
                meta=cast("mcp_types.RequestParamsMeta", {MESSAGE_ID: call.id}),
            )
        except MCPError as error:
            if self._over.is_set():
                # the process ends: nobody can say more of this call
                await asyncio.Event().wait()
            if error.message == SESSION_OVER:
                self._over.set()
                raise Failed(
                    "unavailable", "the server has forgotten our session; a new one begins"
                ) from error
            raise _failed(error) from error
        except (RuntimeError, ValueError) as error:
            # an output that does not fit its schema, and what cannot be read as an answer
            raise Failed("wrong-answer", f"{asked.tool}: {str(error)[:TEXT]}") from error
        return _content(asked.tool, result)

    # ------------------------------------------------------------------ the connection

    async def _keep(self, client: Client) -> None:
        """Read the list again whenever it has changed, until the connection ends."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._listen(client)), group.create_task(self._relist(client))]
            await self._over.wait()
            for task in tasks:
                task.cancel()

    async def _hear(self, message: object) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            self._changed.set()

    async def _listen(self, client: Client) -> None:
        """Servers of 2026-07-28 say changes to who listens."""
        tools = client.server_capabilities.tools
        if tools is None or not tools.list_changed:
            return
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._changed.set()
            except ListenNotSupportedError:
                return
            except (MCPError, SubscriptionLost, TimeoutError) as error:
                log.info("the server does not tell of changes: %s", error)
            await asyncio.sleep(LIST_S)
            self._changed.set()

    async def _relist(self, client: Client) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._list(client)
            except (MCPError, ValueError, RuntimeError, TimeoutError) as error:
                log.warning("the server's new list of tools cannot be read: %s", str(error)[:TEXT])
            await asyncio.sleep(CHANGE_S)

    async def _list(self, client: Client) -> None:
        """Read what the server offers, and tell it."""
        listed: list[mcp_types.Tool] = []
        cursors: set[str | None] = {None}
        cursor: str | None = None
        async with asyncio.timeout(LIST_S):
            for _ in range(PAGES):
                if client.server_capabilities.tools is None:
                    break
                page = await client.list_tools(cursor=cursor)
                listed += page.tools
                cursor = page.next_cursor
                if cursor in cursors or len(listed) > LISTED:
                    break
                cursors.add(cursor)
        self._catalogue = Catalogue(listed, self._offered)
        if self._catalogue.left_out:
            log.warning("tools that are left out: %s", ", ".join(self._catalogue.left_out)[:TEXT])
        self._tell(self._catalogue.told)

    def _down(self, why: str) -> None:
        if not self._client.done():
            self._client.set_exception(Failed("unavailable", why))
            # whoever waits hears it; nobody need wait
            self._client.exception()
        self._tell(Offer(down=why))

    def _telling(self, id: str) -> Any:
        loop, told_at = asyncio.get_running_loop(), 0.0

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            nonlocal told_at
            if loop.time() - told_at >= PROGRESS_S:
                told_at = loop.time()
                self._progress(id, {"progress": progress, "total": total, "message": (message or "")[:200]})

        return tell


class _Entered:
    """A transport that somebody else has entered and will leave."""

    def __init__(self, streams: Any) -> None:
        self._streams = streams

    async def __aenter__(self) -> Any:
        return self._streams

    async def __aexit__(self, *error: object) -> None: ...


def _failed(error: MCPError) -> Failed:
    match error.code:
        case code if code == CONNECTION_CLOSED:
            return Failed("interrupted", f"{error.message}: whether it was done is not known")
        case code if code == TOO_LONG:
            return Failed("too-long", error.message)
        case code if code == PARSE_ERROR:
            return Failed("wrong-answer", error.message[:TEXT])
        case code:
            return Failed("tool_error", error.message[:TEXT], status=code)


def _content(tool: str, result: mcp_types.CallToolResult) -> Json:
    """The answer as a message's content; raises Failed for what has failed, and for what no message can say."""
    told = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    answer = {"content": told.get("content", []), "structured": told.get("structuredContent")}
    try:
        msgspec.json.encode(answer)
    except (RecursionError, ValueError, OverflowError) as error:
        raise Failed("wrong-answer", f"{tool} answered with what no message may say: {error}") from error
    if result.is_error:
        texts = [one.text for one in result.content if isinstance(one, mcp_types.TextContent)]
        raise Failed("tool_error", " ".join(texts)[:TEXT] or f"{tool} says that it has failed", **answer)
    return answer


def _sentences(error: BaseException) -> list[str]:
    """What went wrong, of a group all that did."""
    if isinstance(error, BaseExceptionGroup):
        inner: tuple[BaseException, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return [sentence for one in inner for sentence in _sentences(one)]
    return [str(error) or type(error).__name__]
