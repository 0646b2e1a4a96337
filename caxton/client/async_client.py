"""The client of `caxton.client.blocking_client` for programs on asyncio: the same methods, shapes and errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import msgspec

from caxton.client import requests
from caxton.client.chunked_decode import items_of
from caxton.client.requests import Call, EventReader, Json, StreamEvent, quoted
from caxton.errors import TimedOut, Unreachable


class AsyncClient:
    """Talks to one daemon, several requests at once if need be; close it, or use it as a context manager.

    `timeout` is in seconds and is for one request, on top of what the request itself waits for.
    """

    def __init__(self, socket_path: Path, timeout: float = 10.0) -> None:
        self._path = socket_path
        self._timeout = timeout
        self._met = False
        self._http = httpx.AsyncClient(
            # a Unix socket has no TLS, and httpx would load every certificate first: 36 ms
            transport=httpx.AsyncHTTPTransport(uds=str(socket_path), verify=False),
            base_url="http://caxton",
            trust_env=False,
        )

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def status(self) -> Json:
        """The daemon, its cells, agents and journal at a glance (`StatusBody`)."""
        body: Json = requests.read(await self._ask(Call("GET", "/api/v1/status")))
        return body

    async def ready(self) -> Json:
        """Whether messages are taken, and what is missing (`ReadyBody`); a daemon that is not ready answers too."""
        body: Json = requests.read(await self._ask(Call("GET", "/ready")), allowed=(503,))
        return body

    async def metrics(self) -> str:
        """Every meter as Prometheus text."""
        answer = await self._ask(Call("GET", "/metrics"))
        return requests.accepted(answer).decode()

    async def agents(self) -> list[Json]:
        """Every agent (`AgentBody`), by name."""
        return await items_of(requests.accepted(await self._ask(Call("GET", "/api/v1/agents"))))

    async def agent(self, name: str) -> Json:
        """One agent (`AgentBody`)."""
        body: Json = requests.read(await self._ask(Call("GET", f"/api/v1/agents/{quoted(name)}")))
        return body

    async def deploy(
        self,
        name: str,
        wasm: bytes,
        *,
        settings: Json | None = None,
        limits: Mapping[str, int | str] | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        fresh_state: bool = False,
        probation_turns: int | None = None,
        probation_s: float | None = None,
        recover: str | None = None,
        how: Json | None = None,
    ) -> Json:
        """Bring a module (wasm or WAT text) to an agent; the deployment (`DeploymentBody`), finished where the two
        revisions do not live side by side. `how`: further fields of the body (docs/api.md)."""
        call = requests.deploy(
            name,
            wasm,
            settings,
            limits,
            profile,
            strategy,
            fresh_state,
            probation_turns,
            probation_s,
            recover,
            how,
        )
        body: Json = requests.read(await self._ask(call))
        return body

    async def plan(
        self,
        name: str,
        wasm: bytes,
        *,
        settings: Json | None = None,
        limits: Mapping[str, int | str] | None = None,
        profile: str = "standard",
        strategy: str = "direct",
        how: Json | None = None,
    ) -> Json:
        """What `deploy` would change (`PlanBody`); nothing is done."""
        path = "/api/v1/agents/plan"
        call = requests.deploy(name, wasm, settings, limits, profile, strategy, how=how, path=path)
        body: Json = requests.read(await self._ask(call))
        return body

    async def pins(self) -> list[Json]:
        """Pinned conversations (`PinBody`), the newest first."""
        body: Json = requests.read(await self._ask(Call("GET", "/api/v1/pins")))
        items: list[Json] = body["items"]
        return items

    async def pin(self, conversation: str) -> Json:
        """Pin a conversation (`PinBody`)."""
        body: Json = requests.read(await self._ask(Call("PUT", f"/api/v1/pins/{quoted(conversation)}")))
        return body

    async def unpin(self, conversation: str) -> None:
        """Unpin a conversation."""
        requests.read(await self._ask(Call("DELETE", f"/api/v1/pins/{quoted(conversation)}")))

    async def replay(
        self,
        conversations: Sequence[str] = (),
        *,
        last: int = 0,
        agent: str | None = None,
        wasm: bytes | None = None,
        timeout_s: float = 60.0,
        baseline: bool = False,
    ) -> Json:
        """Run recorded conversations, or the `last` ones, against a build; what became of each turn (`ReplayBody`)."""
        call = requests.replay(conversations, last, agent, wasm, timeout_s, baseline)
        body: Json = requests.read(await self._ask(call))
        return body

    async def change_agent(self, name: str, step: str) -> Json:
        """Start, stop (at once), drain (then stop), suspend, resume or restart an agent; it then (`AgentBody`)."""
        body: Json = requests.read(
            await self._ask(Call("POST", f"/api/v1/agents/{quoted(name)}/{quoted(step)}"))
        )
        return body

    async def remove_agent(self, name: str) -> None:
        """Stop an agent and forget it."""
        requests.read(await self._ask(Call("DELETE", f"/api/v1/agents/{quoted(name)}")))

    async def agent_logs(
        self, name: str, *, after: int = 0, limit: int = 100, newest: bool = False
    ) -> list[Json]:
        """What an agent logged (`LogBody`), oldest first, or the newest of it, newest first."""
        return await self._list(
            f"/api/v1/agents/{quoted(name)}/logs",
            limit,
            "before" if newest else "after",
            after=after,
            newest="true" if newest else None,
        )

    async def agent_messages(self, name: str, *, after: int = 0, limit: int = 100) -> list[Json]:
        """What an agent sent and received (`MessageBody`), oldest first."""
        return await self._list(f"/api/v1/agents/{quoted(name)}/messages", limit, "after", after=after)

    async def send(
        self,
        message: Mapping[str, Any] | bytes,
        *,
        wait_s: float | None = None,
        replies: int = 1,
        sender: str | None = None,
        traceparent: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Send a message and return when it is committed (`SubmittedBody`); with `wait_s`, when the replies came."""
        body: Json = requests.read(
            await self._ask(requests.send(message, wait_s, replies, sender, traceparent, idempotency_key))
        )
        return body

    async def breaks(self) -> list[Json]:
        """Break points (`BreakBody`), the oldest first."""
        items: list[Json] = requests.read(await self._ask(Call("GET", "/api/v1/breaks")))["items"]
        return items

    async def add_break(
        self, text: str, *, name: str | None = None, count: int | None = None, duration: str | None = None
    ) -> Json:
        """Hold what a filter means from now on (`BreakBody`); `duration` such as "10m"."""
        body: Json = requests.read(await self._ask(requests.add_break(text, name, count, duration)))
        return body

    async def remove_break(self, id: str, *, then: str | None = None) -> Json:
        """Take a break point away (`BreakGone`); `then` is "release" or "drop" for what it holds."""
        body: Json = requests.read(
            await self._ask(Call("DELETE", f"/api/v1/breaks/{quoted(id)}", {"then": then}, extra_s=60.0))
        )
        return body

    async def remove_breaks(self, *, then: str | None = None) -> Json:
        """Take every break point away (`ManyGone`)."""
        body: Json = requests.read(
            await self._ask(Call("DELETE", "/api/v1/breaks", {"then": then}, extra_s=60.0))
        )
        return body

    async def held(
        self,
        *,
        after: int = 0,
        conversation: str | None = None,
        break_id: str | None = None,
        limit: int = 100,
    ) -> list[Json]:
        """What is held (`HeldBody`), the oldest first."""
        return await self._list(
            "/api/v1/held", limit, "after", after=after, conversation=conversation, break_id=break_id
        )

    async def held_message(self, seq: int) -> Json:
        """One message that is held or was (`HeldDetail`)."""
        body: Json = requests.read(await self._ask(Call("GET", f"/api/v1/held/{seq}")))
        return body

    async def release(self, seq: int) -> Json:
        """Let a held message go on (`HeldGone`)."""
        body: Json = requests.read(await self._ask(requests.held_step(seq, "release")))
        return body

    async def drop(self, seq: int) -> Json:
        """Bring a held message to nobody (`HeldGone`)."""
        body: Json = requests.read(await self._ask(requests.held_step(seq, "drop")))
        return body

    async def delay(self, seq: int, delay: str) -> Json:
        """Let a held message go on by itself later, such as "5s" (`HeldBody`)."""
        body: Json = requests.read(await self._ask(requests.held_step(seq, "delay", {"delay": delay})))
        return body

    async def edit(self, seq: int, change: Mapping[str, Any]) -> Json:
        """Change performative, receiver or content of a held message (`HeldBody`)."""
        said = msgspec.json.encode(change)
        body: Json = requests.read(await self._ask(Call("PATCH", f"/api/v1/held/{seq}", body=said)))
        return body

    async def release_some(
        self, *, break_id: str | None = None, conversation: str | None = None, following: bool = False
    ) -> Json:
        """Let held messages go on in their order, all or the first that is meant (`ManyGone`)."""
        call = requests.held_some("release", break_id, conversation, following)
        body: Json = requests.read(await self._ask(call))
        return body

    async def drop_some(
        self, *, break_id: str | None = None, conversation: str | None = None, following: bool = False
    ) -> Json:
        """Bring held messages to nobody (`ManyGone`)."""
        call = requests.held_some("drop", break_id, conversation, following)
        body: Json = requests.read(await self._ask(call))
        return body

    async def messages(
        self,
        *,
        conversation: str | None = None,
        agent: str | None = None,
        performative: str | None = None,
        after: int = 0,
        before: int | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
        newest: bool = False,
    ) -> list[Json]:
        """Messages of the journal (`MessageBody`); times are ISO, or how long ago such as "5m"."""
        return await self._list(
            "/api/v1/messages",
            limit,
            "before" if newest else "after",
            conversation=conversation,
            agent=agent,
            performative=performative,
            after=after,
            before=before,
            since=since,
            until=until,
            newest="true" if newest else None,
        )

    async def message(self, id: str) -> Json:
        """One message by its id or number (`MessageBody`)."""
        body: Json = requests.read(await self._ask(Call("GET", f"/api/v1/messages/{quoted(id)}")))
        return body

    async def conversations(
        self, *, agent: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Json]:
        """Conversations (`ConversationBody`), the newest first."""
        return await self._list("/api/v1/conversations", limit, "before", agent=agent, before=before)

    async def conversation(self, id: str, *, after: int = 0, limit: int = 100) -> Json:
        """One conversation with up to `limit` of its messages (`ConversationDetail`)."""
        return await self._pages(f"/api/v1/conversations/{quoted(id)}", limit, "after", after=after)

    async def turns(
        self,
        *,
        agent: str | None = None,
        conversation: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Json]:
        """Turns (`TurnRow`), those on the newest messages first."""
        return await self._list(
            "/api/v1/turns", limit, "before", agent=agent, conversation=conversation, before=before
        )

    async def deployments(self, *, agent: str | None = None, limit: int = 100) -> list[Json]:
        """Deployments (`DeploymentBody`), the newest first."""
        return await self._list("/api/v1/deployments", limit, "before", agent=agent)

    async def deployment(self, id: str) -> Json:
        """One deployment (`DeploymentBody`)."""
        body: Json = requests.read(await self._ask(Call("GET", f"/api/v1/deployments/{quoted(id)}")))
        return body

    async def refusals(self, agent: str) -> list[Json]:
        """Builds of that agent that were refused and not accepted since (`RefusalBody`), the newest first."""
        body: Json = requests.read(await self._ask(Call("GET", f"/api/v1/agents/{quoted(agent)}/refusals")))
        items: list[Json] = body["items"]
        return items

    async def rollback(self, id: str) -> Json:
        """Undo a deployment; the one that did so (`DeploymentBody`)."""
        return await self._decide(id, "rollback")

    async def promote(self, id: str) -> Json:
        """Let the new revision of a deployment under way take over now; the deployment then (`DeploymentBody`)."""
        return await self._decide(id, "promote")

    async def abort(self, id: str) -> Json:
        """Take the new revision of a deployment under way back; the deployment then (`DeploymentBody`)."""
        return await self._decide(id, "abort")

    async def _decide(self, id: str, step: str) -> Json:
        body: Json = requests.read(await self._ask(requests.decide(id, step)))
        return body

    async def run_task(self, body: Mapping[str, Any], *, wait_s: float | None = None) -> Json:
        """Run a protocol as its initiator (`TaskBody` of the API); the task (`TaskDetail`) when it has ended.

        With `wait_s` it is returned after so many seconds at the latest, under way or ended.
        """
        answer: Json = requests.read(await self._ask(requests.run_task(body, wait_s)))
        return answer

    async def tasks(self, *, before: int | None = None, limit: int = 100) -> list[Json]:
        """Tasks (`TaskSummaryBody`), the newest first."""
        return await self._list("/api/v1/tasks", limit, "before", before=before)

    async def task(self, id: str, *, wait_s: float = 0.0) -> Json:
        """One task with its branches (`TaskDetail`), after waiting up to `wait_s` seconds for its end."""
        answer: Json = requests.read(await self._ask(requests.task(id, wait_s)))
        return answer

    async def cancel_task(self, id: str, *, wait_s: float = 10.0) -> Json:
        """Cancel a task that is under way; what it is after waiting up to `wait_s` seconds for its end.

        Raises TaskNotFound, InvalidState.
        """
        answer: Json = requests.read(await self._ask(requests.cancel_task(id, wait_s)))
        return answer

    async def dead_letters(
        self, *, agent: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Json]:
        """Dead letters (`DeadLetterBody`), the newest first."""
        return await self._list("/api/v1/dead-letters", limit, "before", agent=agent, before=before)

    async def df_entries(self) -> list[Json]:
        """Every registration with the directory facilitator (`DfEntryBody`), the oldest first."""
        items: list[Json] = requests.read(await self._ask(Call("GET", "/api/v1/df")))["items"]
        return items

    async def df_search(
        self, description: Mapping[str, Any] | None = None, constraints: Mapping[str, Any] | None = None
    ) -> list[Json]:
        """The registrations that match (`DfEntryBody`); both arguments with FIPA's keys."""
        items: list[Json] = requests.read(await self._ask(requests.df_search(description, constraints)))[
            "items"
        ]
        return items

    async def df_subscriptions(self) -> list[Json]:
        """Who is told of changes in the directory (`DfSubscriptionBody`), the oldest first."""
        items: list[Json] = requests.read(await self._ask(Call("GET", "/api/v1/df/subscriptions")))["items"]
        return items

    async def stop_daemon(self) -> None:
        """Begin the daemon's end; returns before it has ended."""
        requests.read(await self._ask(Call("POST", "/api/v1/daemon/stop")))

    async def events(
        self,
        *,
        after: int | None = None,
        kinds: Sequence[str] | None = None,
        agent: str | None = None,
        conversation: str | None = None,
        back: int | None = None,
        patience_s: float = 10.0,
    ) -> AsyncGenerator[StreamEvent]:
        """What is committed, from row `after` on or from now; never ends by itself. `back`: no more than so many
        rows from before; without `after` exactly so many, where there are.

        A broken stream is resumed where it ended, also with a daemon that was started again, for `patience_s`
        seconds; then it raises Unreachable. Rows that were lost come as an event of kind "gap".
        """
        reader = EventReader(after)
        spoke, deadline = False, 0.0
        while True:
            try:
                with requests.translated(self._path):
                    requests.meet(self._path)
                    request = requests.events(reader.last, kinds, agent, conversation, back).request(
                        self._http, httpx.Timeout(self._timeout, read=requests.SILENCE_S)
                    )
                    answer = await self._http.send(request, stream=True)
                    try:
                        if not answer.is_success:
                            raise requests.refusal(answer.status_code, await answer.aread())
                        reader.again()
                        async for chunk in answer.aiter_raw():
                            spoke = True
                            for event in reader.feed(chunk):
                                yield event
                    finally:
                        await answer.aclose()
            except (Unreachable, TimedOut):
                if not spoke and asyncio.get_running_loop().time() > deadline:
                    raise
            if spoke:
                spoke, deadline = False, asyncio.get_running_loop().time() + patience_s
            await asyncio.sleep(requests.RETRY_S)

    async def _list(self, path: str, limit: int, cursor: str, **query: str | int | None) -> list[Json]:
        items: list[Json] = (await self._pages(path, limit, cursor, **query))["items"]
        return items

    async def _pages(self, path: str, limit: int, cursor: str, **query: str | int | None) -> Json:
        """Up to `limit` items, over as many requests as that takes."""
        whole: Json | None = None
        while True:
            left = limit - len(whole["items"]) if whole else limit
            body: Json = requests.read(
                await self._ask(Call("GET", path, {**query, "limit": min(left, requests.PAGE)}))
            )
            whole = requests.joined(whole, body)
            query[cursor] = body["next"]
            if body["next"] is None or len(whole["items"]) >= limit:
                return whole

    async def _ask(self, call: Call) -> httpx.Response:
        with requests.translated(self._path):
            if not self._met:
                requests.meet(self._path)
                self._met = True
            return await self._http.send(call.request(self._http, self._timeout))
