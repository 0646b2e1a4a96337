"""The client for programs on asyncio, over the project's Unix socket.

In: a socket's path. Out: one method for each thing that the daemon does; answers are the shapes of `caxton.schemas`,
refusals are Caxton's errors with the daemon's code, sentence and hint. `Client` is the same without `await`: it is made
from this file by `.ci/unasync.py`.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from secrets import token_hex
from time import monotonic
from types import TracebackType
from typing import Any

import httpx

from caxton import exact_numbers
from caxton.client import answers, requests
from caxton.client.answers import EventReader, P, Page, StreamEvent, T
from caxton.client.remote import Remote, client_of, transport_of
from caxton.client.requests import Call, Json, quoted
from caxton.daemon_socket import STATE_FOLDER, socket_path
from caxton.errors import TimedOut, Unreachable
from caxton.schemas.access import Audit, AuditBody, IdentityBody, TokenBody, TokenList, TokenMade
from caxton.schemas.approvals import (
    ApprovalBody,
    ApprovalDetail,
    ApprovalDone,
    Approvals,
    ApprovalStepBody,
    ApprovalSteps,
)
from caxton.schemas.daemon import (
    AgentBody,
    Agents,
    DfEntries,
    DfEntryBody,
    DfSubscriptionBody,
    DfSubscriptions,
    EffectBody,
    EffectList,
    ExportBody,
    MailBody,
    Mailbox,
    Purged,
    ReadyBody,
    StatusBody,
    TimerBody,
    Timers,
    TopicBody,
    TopicList,
    TopicSubscriptionBody,
    TopicSubscriptions,
    UsageBody,
    UsageList,
)
from caxton.schemas.deployments import (
    DeploymentBody,
    Deployments,
    ImportBody,
    PinBody,
    Pins,
    PlanBody,
    RefusalBody,
    Refusals,
    ReplayBody,
)
from caxton.schemas.held import (
    BreakBody,
    BreakGone,
    Breaks,
    HeldBody,
    HeldDetail,
    HeldGone,
    HeldList,
    ManyGone,
)
from caxton.schemas.journal import JournalDetail
from caxton.schemas.messages import (
    ConversationBody,
    ConversationDetail,
    Conversations,
    DeadLetterBody,
    DeadLetters,
    LettersGone,
    LogBody,
    Logs,
    MessageBody,
    Messages,
    SubmittedBody,
    TaskDetail,
    Tasks,
    TaskSummaryBody,
    TurnRow,
    Turns,
)


class AsyncClient:
    """Talks to one daemon, several requests at once if need be; close it, or use it as a context manager.

    `timeout` is in seconds and is for one request, on top of what the request itself waits for. `acting_for` is for
    gateways: what the socket's owner asks then is asked in another's name (caxton/access/acting.py).
    """

    def __init__(
        self, socket_path: Path | Remote, timeout: float = 10.0, *, acting_for: str | None = None
    ) -> None:
        self._path = socket_path
        self._timeout = timeout
        self._met = False
        self._there_at = -inf
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(**transport_of(socket_path)),
            trust_env=False,
            **client_of(socket_path, acting_for),
        )

    @classmethod
    def of(cls, project: Path | str = ".", timeout: float = 10.0) -> AsyncClient:
        """A client of the daemon of the project in that folder; nothing is sent yet."""
        return cls(socket_path(Path(project).resolve() / STATE_FOLDER), timeout)

    @classmethod
    def at(
        cls,
        url: str,
        *,
        token_file: Path | str | None = None,
        ca_file: Path | str | None = None,
        timeout: float = 10.0,
    ) -> AsyncClient:
        """A client of a daemon elsewhere, with the token in that file; nothing is sent yet."""
        files = (Path(one) if one is not None else None for one in (token_file, ca_file))
        return cls(Remote(url, *files), timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def status(self) -> StatusBody:
        """The daemon, its cells, agents and journal at a glance."""
        return await self._read(Call("GET", "/api/v1/status"), StatusBody)

    async def journal(self) -> JournalDetail:
        """What is in the journal, and what keeps it from shrinking."""
        return await self._read(Call("GET", "/api/v1/journal"), JournalDetail)

    async def trust_clock(self) -> JournalDetail:
        """Say that the wall clock is right, so that rows are removed for their age again."""
        return await self._read(Call("POST", "/api/v1/journal/trust-clock"), JournalDetail)

    async def ready(self) -> ReadyBody:
        """Whether messages are taken, and what is missing; a daemon that is not ready answers too."""
        return await self._read(Call("GET", "/ready"), ReadyBody, allowed=(503,))

    async def metrics(self) -> str:
        """Every meter as Prometheus text."""
        answer = await self._ask(Call("GET", "/metrics"))
        return answers.accepted(answer).decode()

    async def agents(self) -> list[AgentBody]:
        """Every agent, by name."""
        return await self._list(Agents, "/api/v1/agents", requests.ALL, "after")

    async def agent(self, name: str) -> AgentBody:
        """One agent."""
        return await self._read(Call("GET", f"/api/v1/agents/{quoted(name)}"), AgentBody)

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
    ) -> DeploymentBody:
        """Bring a module (wasm or WAT text) to an agent; the deployment, finished where the two
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
        return await self._read(call, DeploymentBody)

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
    ) -> PlanBody:
        """What `deploy` would change; nothing is done."""
        path = "/api/v1/agents/plan"
        call = requests.deploy(name, wasm, settings, limits, profile, strategy, how=how, path=path)
        return await self._read(call, PlanBody)

    async def pins(self) -> list[PinBody]:
        """Pinned conversations, the newest first."""
        return (await self._read(Call("GET", "/api/v1/pins"), Pins)).items

    async def pin(self, conversation: str) -> PinBody:
        """Pin a conversation."""
        return await self._read(Call("PUT", f"/api/v1/pins/{quoted(conversation)}"), PinBody)

    async def unpin(self, conversation: str) -> None:
        """Unpin a conversation."""
        answers.accepted(await self._ask(Call("DELETE", f"/api/v1/pins/{quoted(conversation)}")))

    async def replay(
        self,
        conversations: Sequence[str] = (),
        *,
        last: int = 0,
        agent: str | None = None,
        wasm: bytes | None = None,
        timeout_s: float = 60.0,
        baseline: bool = False,
        live: bool = False,
    ) -> ReplayBody:
        """Run recorded conversations, or the `last` ones, against a build; what became of each turn."""
        call = requests.replay(conversations, last, agent, wasm, timeout_s, baseline, live)
        return await self._read(call, ReplayBody)

    async def change_agent(self, name: str, step: str) -> AgentBody:
        """Start, stop (at once), drain (then stop), suspend, resume or restart an agent; it then."""
        return await self._read(Call("POST", f"/api/v1/agents/{quoted(name)}/{quoted(step)}"), AgentBody)

    async def export_agent(self, name: str, *, keep: bool = False, force: bool = False) -> ExportBody:
        """An agent's bundle, as it is after its present turn; it is suspended then, unless it is to `keep` going.

        `force`: also where something stays behind. Once the bundle is written somewhere: `leave_agent`.
        """
        return await self._read(requests.export(name, keep, force), ExportBody)

    async def leave_agent(self, name: str, moment: int) -> AgentBody:
        """Stop an agent whose bundle of that moment is kept, and end its conversations here; it then."""
        return await self._read(requests.leave(name, moment), AgentBody)

    async def import_agent(self, bundle: bytes, *, force: bool = False) -> ImportBody:
        """Bring the agent of a bundle to work here; `force`: also where something of it is lost."""
        return await self._read(requests.take_in(bundle, force), ImportBody)

    async def remove_agent(self, name: str) -> None:
        """Stop an agent and forget it."""
        answers.accepted(await self._ask(Call("DELETE", f"/api/v1/agents/{quoted(name)}")))

    async def agent_logs(
        self, name: str, *, after: int = 0, limit: int = 100, newest: bool = False
    ) -> list[LogBody]:
        """What an agent logged, oldest first, or the newest of it, newest first."""
        return await self._list(
            Logs,
            f"/api/v1/agents/{quoted(name)}/logs",
            limit,
            "before" if newest else "after",
            after=after,
            newest="true" if newest else None,
        )

    async def agent_messages(self, name: str, *, after: int = 0, limit: int = 100) -> list[MessageBody]:
        """What an agent sent and received, oldest first."""
        return await self._list(
            Messages, f"/api/v1/agents/{quoted(name)}/messages", limit, "after", after=after
        )

    async def send(
        self,
        message: Mapping[str, Any] | bytes,
        *,
        wait_s: float | None = None,
        replies: int = 1,
        sender: str | None = None,
        traceparent: str | None = None,
        idempotency_key: str | None = None,
    ) -> SubmittedBody:
        """Send a message and return when it is committed; with `wait_s`, when the replies came.

        Who waits goes on waiting where the daemon is started again meanwhile, by the message's idempotency key.
        """
        if wait_s is None:
            call = requests.send(message, None, replies, sender, traceparent, idempotency_key)
            return await self._read(call, SubmittedBody)
        key = idempotency_key or token_hex(16)
        return await self._waited(
            lambda left_s: requests.send(message, left_s, replies, sender, traceparent, key),
            wait_s,
            SubmittedBody,
        )

    async def breaks(self) -> list[BreakBody]:
        """Break points, the oldest first."""
        return (await self._read(Call("GET", "/api/v1/breaks"), Breaks)).items

    async def add_break(
        self, text: str, *, name: str | None = None, count: int | None = None, duration: str | None = None
    ) -> BreakBody:
        """Hold what a filter means from now on; `duration` such as "10m"."""
        return await self._read(requests.add_break(text, name, count, duration), BreakBody)

    async def remove_break(self, id: str, *, then: str | None = None) -> BreakGone:
        """Take a break point away; `then` is "release" or "drop" for what it holds."""
        return await self._read(
            Call("DELETE", f"/api/v1/breaks/{quoted(id)}", {"then": then}, extra_s=60.0), BreakGone
        )

    async def remove_breaks(self, *, then: str | None = None) -> ManyGone:
        """Take every break point away."""
        return await self._read(Call("DELETE", "/api/v1/breaks", {"then": then}, extra_s=60.0), ManyGone)

    async def held(
        self,
        *,
        after: int = 0,
        conversation: str | None = None,
        break_id: str | None = None,
        limit: int = 100,
    ) -> list[HeldBody]:
        """What is held, the oldest first."""
        return await self._list(
            HeldList,
            "/api/v1/held",
            limit,
            "after",
            after=after,
            conversation=conversation,
            break_id=break_id,
        )

    async def held_message(self, seq: int) -> HeldDetail:
        """One message that is held or was."""
        return await self._read(Call("GET", f"/api/v1/held/{seq}"), HeldDetail)

    async def release(self, seq: int) -> HeldGone:
        """Let a held message go on."""
        return await self._read(requests.held_step(seq, "release"), HeldGone)

    async def drop(self, seq: int) -> HeldGone:
        """Bring a held message to nobody."""
        return await self._read(requests.held_step(seq, "drop"), HeldGone)

    async def delay(self, seq: int, delay: str) -> HeldBody:
        """Let a held message go on by itself later, such as "5s"."""
        return await self._read(requests.held_step(seq, "delay", {"delay": delay}), HeldBody)

    async def edit(self, seq: int, change: Mapping[str, Any]) -> HeldBody:
        """Change performative, receiver or content of a held message."""
        said = exact_numbers.encode(change)
        return await self._read(Call("PATCH", f"/api/v1/held/{seq}", body=said), HeldBody)

    async def release_some(
        self, *, break_id: str | None = None, conversation: str | None = None, following: bool = False
    ) -> ManyGone:
        """Let held messages go on in their order, all or the first that is meant."""
        call = requests.held_some("release", break_id, conversation, following)
        return await self._read(call, ManyGone)

    async def drop_some(
        self, *, break_id: str | None = None, conversation: str | None = None, following: bool = False
    ) -> ManyGone:
        """Bring held messages to nobody."""
        call = requests.held_some("drop", break_id, conversation, following)
        return await self._read(call, ManyGone)

    async def approvals(self, *, after: int = 0, limit: int = 100) -> list[ApprovalBody]:
        """Messages that wait for a yes, the oldest first."""
        return await self._list(Approvals, "/api/v1/approvals", limit, "after", after=after)

    async def approval(self, seq: int) -> ApprovalDetail:
        """One that waits or did, with what was decided by whom."""
        return await self._read(Call("GET", f"/api/v1/approvals/{seq}"), ApprovalDetail)

    async def approval_steps(self, *, before: int | None = None, limit: int = 100) -> list[ApprovalStepBody]:
        """Who decided what, the newest first."""
        return await self._list(ApprovalSteps, "/api/v1/approvals/steps", limit, "before", before=before)

    async def approve(self, seq: int, *, note: str = "", through: str | None = None) -> ApprovalDone:
        """Let a message go on that waits for a yes."""
        return await self._read(requests.approval_step(seq, "yes", note, through), ApprovalDone)

    async def refuse(self, seq: int, *, note: str = "", through: str | None = None) -> ApprovalDone:
        """Refuse it to its sender."""
        return await self._read(requests.approval_step(seq, "no", note, through), ApprovalDone)

    async def edit_approval(self, seq: int, change: Mapping[str, Any]) -> ApprovalBody:
        """Change performative, receiver or content of a message that waits for a yes; it waits on."""
        said = exact_numbers.encode(change)
        return await self._read(Call("PATCH", f"/api/v1/approvals/{seq}", body=said), ApprovalBody)

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
    ) -> list[MessageBody]:
        """Messages of the journal; times are ISO, or how long ago such as "5m"."""
        return await self._list(
            Messages,
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

    async def message(self, id: str) -> MessageBody:
        """One message by its id or number."""
        return await self._read(Call("GET", f"/api/v1/messages/{quoted(id)}"), MessageBody)

    async def conversations(
        self, *, agent: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[ConversationBody]:
        """Conversations, the newest first."""
        return await self._list(
            Conversations, "/api/v1/conversations", limit, "before", agent=agent, before=before
        )

    async def conversation_page(self, *, before: int | None = None, limit: int = 1000) -> Conversations:
        """One page of conversations, the newest first; `next` is the `before` of the next page."""
        return await self._read(
            Call("GET", "/api/v1/conversations", {"before": before, "limit": limit}), Conversations
        )

    async def conversation(self, id: str, *, after: int = 0, limit: int = 100) -> ConversationDetail:
        """One conversation with up to `limit` of its messages."""
        return await self._pages(
            ConversationDetail, f"/api/v1/conversations/{quoted(id)}", limit, "after", after=after
        )

    async def turns(
        self,
        *,
        agent: str | None = None,
        conversation: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[TurnRow]:
        """Turns, those on the newest messages first."""
        return await self._list(
            Turns, "/api/v1/turns", limit, "before", agent=agent, conversation=conversation, before=before
        )

    async def deployments(self, *, agent: str | None = None, limit: int = 100) -> list[DeploymentBody]:
        """Deployments, the newest first."""
        return await self._list(Deployments, "/api/v1/deployments", limit, "before", agent=agent)

    async def deployment(self, id: str) -> DeploymentBody:
        """One deployment."""
        return await self._read(Call("GET", f"/api/v1/deployments/{quoted(id)}"), DeploymentBody)

    async def refusals(self, agent: str) -> list[RefusalBody]:
        """Builds of that agent that were refused and not accepted since, the newest first."""
        return await self._list(Refusals, f"/api/v1/agents/{quoted(agent)}/refusals", requests.ALL, "after")

    async def rollback(self, id: str) -> DeploymentBody:
        """Undo a deployment; the one that did so."""
        return await self._decide(id, "rollback")

    async def promote(self, id: str) -> DeploymentBody:
        """Let the new revision of a deployment under way take over now; the deployment then."""
        return await self._decide(id, "promote")

    async def ask_live(self, id: str) -> DeploymentBody:
        """Ask for real what a build that waits asks anew; it as it waits then, or when it has gone in."""
        return await self._decide(id, "ask-live")

    async def abort(self, id: str) -> DeploymentBody:
        """Take the new revision of a deployment under way back; the deployment then."""
        return await self._decide(id, "abort")

    async def _decide(self, id: str, step: str) -> DeploymentBody:
        return await self._read(requests.decide(id, step), DeploymentBody)

    async def run_task(
        self, body: Mapping[str, Any], *, wait_s: float | None = None, idempotency_key: str | None = None
    ) -> TaskDetail:
        """Run a protocol as its initiator (`TaskBody` of the API); the task when it has ended.

        With `wait_s` it is returned after so many seconds at the latest, under way or ended. Where the daemon is
        started again meanwhile it goes on by the idempotency key, so one task is begun.
        """
        call = requests.run_task(body, idempotency_key or token_hex(16))
        begun = await self._waited(lambda _: call, 0.0, TaskDetail)
        until = None if wait_s is None else monotonic() + wait_s
        while begun.ended_at is None and (until is None or monotonic() < until):
            left_s = requests.TASK_S if until is None else until - monotonic()
            begun = await self.task(begun.id, wait_s=max(0.0, left_s))
        return begun

    async def tasks(self, *, before: int | None = None, limit: int = 100) -> list[TaskSummaryBody]:
        """Tasks, the newest first."""
        return await self._list(Tasks, "/api/v1/tasks", limit, "before", before=before)

    async def task(self, id: str, *, wait_s: float = 0.0) -> TaskDetail:
        """One task with its branches, after waiting up to `wait_s` seconds for its end."""
        return await self._waited(lambda left_s: requests.task(id, left_s), wait_s, TaskDetail)

    async def cancel_task(self, id: str, *, wait_s: float = 10.0) -> TaskDetail:
        """Cancel a task that is under way; what it is after waiting up to `wait_s` seconds for its end.

        Raises TaskNotFound, InvalidState.
        """
        return await self._read(requests.cancel_task(id, wait_s), TaskDetail)

    async def dead_letters(
        self,
        *,
        agent: str | None = None,
        code: str | None = None,
        seq: int | None = None,
        waiting: bool = False,
        before: int | None = None,
        limit: int = 100,
    ) -> list[DeadLetterBody]:
        """Dead letters, the newest first; `waiting`: those that nobody did anything about."""
        return await self._list(
            DeadLetters,
            "/api/v1/dead-letters",
            limit,
            "before",
            agent=agent,
            code=code,
            seq=seq,
            waiting=waiting or None,
            before=before,
        )

    async def mailbox(self, name: str, *, filter: str = "", limit: int = requests.ALL) -> list[MailBody]:
        """What waits for an agent, in the order in which it will be handled."""
        path = f"/api/v1/agents/{quoted(name)}/mailbox"
        return await self._list(Mailbox, path, limit, "after", filter=filter or None)

    async def purge(self, name: str, *, filter: str = "", reason: str | None = None) -> Purged:
        """Make what waits for an agent, or what of it matches, dead letters."""
        return await self._read(requests.purge(name, filter, reason), Purged)

    async def redeliver(self, choice: Mapping[str, Any]) -> LettersGone:
        """Send dead letters once more: `seqs`, or `agent`, `code`, `filter`; with `content` one of them, changed."""
        return await self._read(requests.dead_letters("redeliver", choice), LettersGone)

    async def drop_dead_letters(self, choice: Mapping[str, Any]) -> LettersGone:
        """Put dead letters away; chosen as for `redeliver`."""
        return await self._read(requests.dead_letters("drop", choice), LettersGone)

    async def timers(self, *, agent: str | None = None, limit: int = 1000) -> list[TimerBody]:
        """Timers that are set, the next to ring first."""
        return await self._list(Timers, "/api/v1/timers", limit, "after", agent=agent)

    async def topics(self) -> list[TopicBody]:
        """Topics that were published to or subscribed to by name, in the order of their names."""
        return await self._list(TopicList, "/api/v1/topics", requests.ALL, "after")

    async def topic_subscriptions(self) -> list[TopicSubscriptionBody]:
        """Who gets what is said to which topics, the oldest first."""
        return await self._list(TopicSubscriptions, "/api/v1/topics/subscriptions", requests.ALL, "after")

    async def effects(self) -> list[EffectBody]:
        """The ways to the world, in the order of the configuration."""
        return (await self._read(Call("GET", "/api/v1/effects"), EffectList)).items

    async def usage(self, by: str = "agent") -> list[UsageBody]:
        """What was spent on models by `agent`, `conversation`, `model`, `day` or `project`, the dearest first."""
        return (await self._read(Call("GET", "/api/v1/usage", {"by": by}), UsageList)).items

    async def df_entries(self) -> list[DfEntryBody]:
        """Every registration with the directory facilitator, the oldest first."""
        return await self._list(DfEntries, "/api/v1/df", requests.ALL, "after")

    async def df_search(
        self, description: Mapping[str, Any] | None = None, constraints: Mapping[str, Any] | None = None
    ) -> list[DfEntryBody]:
        """The registrations that match; both arguments with FIPA's keys."""
        return (await self._read(requests.df_search(description, constraints), DfEntries)).items

    async def df_subscriptions(self) -> list[DfSubscriptionBody]:
        """Who is told of changes in the directory, the oldest first."""
        return await self._list(DfSubscriptions, "/api/v1/df/subscriptions", requests.ALL, "after")

    async def identity(self) -> IdentityBody:
        """Who this client is to the daemon, and what it may."""
        return await self._read(Call("GET", "/api/v1/identity"), IdentityBody)

    async def tokens(self) -> list[TokenBody]:
        """Every token, the oldest first, without the secrets."""
        return (await self._read(Call("GET", "/api/v1/tokens"), TokenList)).items

    async def create_token(
        self, name: str, role: str, *, agents: Sequence[str] = ("*",), expires: str | None = None
    ) -> TokenMade:
        """Make a token, for agents whose names have one of these patterns; `expires` such as "30d". Its secret is in
        the answer, this once."""
        return await self._read(requests.create_token(name, role, agents, expires), TokenMade)

    async def rotate_token(self, token: str) -> TokenMade:
        """Give a token, by name or id, a new secret; the old one is worth nothing at once."""
        return await self._read(Call("POST", f"/api/v1/tokens/{quoted(token)}/rotate"), TokenMade)

    async def revoke_token(self, token: str) -> TokenBody:
        """End a token, by name or id, at once."""
        return await self._read(Call("DELETE", f"/api/v1/tokens/{quoted(token)}"), TokenBody)

    async def audit(self, *, who: str | None = None, limit: int = 100) -> list[AuditBody]:
        """What was done over TCP and what was refused, the newest first; `who`: only of that name."""
        return await self._list(Audit, "/api/v1/audit", limit, "before", who=who)

    async def stop_daemon(self) -> None:
        """Begin the daemon's end; returns before it has ended."""
        answers.accepted(await self._ask(Call("POST", "/api/v1/daemon/stop")))

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
                with answers.translated(self._path):
                    answers.meet(self._path)
                    request = requests.events(reader.last, kinds, agent, conversation, back).request(
                        self._http, httpx.Timeout(self._timeout, read=requests.SILENCE_S)
                    )
                    answer = await self._http.send(request, stream=True)
                    try:
                        if not answer.is_success:
                            raise answers.refusal(answer.status_code, await answer.aread())
                        reader.again()
                        async for chunk in answer.aiter_raw():
                            spoke = True
                            for event in reader.feed(chunk):
                                yield event
                    finally:
                        await answer.aclose()
            except (Unreachable, TimedOut):
                if not spoke and monotonic() > deadline:
                    raise
            if spoke:
                spoke, deadline = False, monotonic() + patience_s
            await sleep(requests.RETRY_S)

    async def _list(
        self, kind: type[Page[T]], path: str, limit: int, cursor: str, **query: str | int | None
    ) -> list[T]:
        return (await self._pages(kind, path, limit, cursor, **query)).items

    async def _pages(self, kind: type[P], path: str, limit: int, cursor: str, **query: str | int | None) -> P:
        """Up to `limit` items, over as many requests as that takes."""
        whole: P | None = None
        while True:
            left = limit - len(whole.items) if whole else limit
            call = Call("GET", path, {**query, "limit": min(left, requests.PAGE)})
            page = await self._read(call, kind)
            whole = answers.joined(whole, page)
            query[cursor] = page.next
            if page.next is None or len(whole.items) >= limit:
                return whole

    async def _waited(self, call: Callable[[float], Call], wait_s: float, kind: type[T]) -> T:
        """What is waited for, asked for again with what is left of the time where the daemon ends meanwhile.

        Raises Unreachable where it is not there again within `RESTART_S` seconds.
        """
        until, self._met = monotonic() + wait_s, False
        while True:
            try:
                return await self._read(call(max(0.0, until - monotonic())), kind)
            except Unreachable as error:
                now = monotonic()
                if not isinstance(error, answers.NotThere):
                    self._there_at = now  # a moment ago
                if now > min(self._there_at, until) + requests.RESTART_S:
                    raise
            self._met = False
            await sleep(requests.RETRY_S)

    async def _read(self, call: Call, kind: type[T], allowed: Sequence[int] = ()) -> T:
        return answers.read(await self._ask(call), kind, allowed)

    async def _ask(self, call: Call) -> httpx.Response:
        with answers.translated(self._path):
            if not self._met:
                answers.meet(self._path)
                self._met = True
            answer = await self._http.send(call.request(self._http, self._timeout))
            self._there_at = monotonic()
            return answer
