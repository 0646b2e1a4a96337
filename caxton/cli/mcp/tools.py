"""The eleven tools: what each asks of the daemon, and its answer as lines.

In: arguments as a model gives them. Out: text (answers.py). Errors are Caxton's own, with their hints. Nothing here
loads the MCP library: server.py gives these functions to it, with their signatures and docstrings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from caxton.cli import connection, doc_pages, filtered_lists
from caxton.cli.mcp.answers import MOST, bounded
from caxton.cli.output.message_lines import MessageLines
from caxton.cli.output.replayed_turns import start_line, turn_lines
from caxton.cli.output.status_lines import status_lines
from caxton.cli.python_runtime import module_of
from caxton.client import AsyncClient, Client
from caxton.diagram import draw_text, read_timeline
from caxton.errors import ConfigurationError, DeploymentError
from caxton.finding import Filter, MessageSubject
from caxton.presentation.json_line import compact
from caxton.presentation.names import short
from caxton.presentation.replays import totals_line
from caxton.presentation.standstills import standstill_lines
from caxton.presentation.text import memory, plural, safe
from caxton.schemas.approvals import ApprovalBody
from caxton.schemas.daemon import AgentBody
from caxton.schemas.deployments import DeploymentBody, PlanBody, ReplayBody
from caxton.schemas.messages import ConversationBody, MessageBody, TaskDetail
from caxton.schemas.shape import plain, text_of

DIAGRAM: Final = 100
"""Columns of a diagram."""
MOST_WAIT_S: Final = 50.0
"""How long a tool waits at most: clients give up after a minute."""
PATIENCE_S: Final = 10.0
"""How long a tool waits for an answer that is there."""
READ: Final = 1000
"""Messages of a conversation that are read."""
_KINDS: Final = ("message", "dead_letter", "deployment", "agent", "cell", "task")

Form = Literal["diagram", "messages", "turns"]
Strategy = Literal["direct", "blue-green", "canary", "shadow"]


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one project."""

    client: Callable[[float], Client]
    """Makes a client of its daemon, with that patience in seconds."""
    async_client: Callable[[float], AsyncClient]
    build: Callable[[str], Path] = Path
    """Where the build is that is named."""

    @classmethod
    def of(cls, project: Path | None) -> Tools:
        """Those of a project, for its owner."""
        return cls(partial(connection.client, project), partial(connection.async_client, project))

    def status(self) -> str:
        """The daemon at a glance: agents, cells, journal, counts of messages, failed turns, violations, dead letters.

        Begin here; `problems` says what went wrong.
        """
        with self.client(PATIENCE_S) as caxton:
            return bounded(status_lines(caxton.status()))

    def agents(self, name: str | None = None, cursor: int = 0) -> str:
        """A line for each agent: state, mailbox, turns, restarts, error; with `name` all about one, and its log."""
        with self.client(PATIENCE_S) as caxton:
            if name is None:
                return bounded(map(_agent_line, caxton.agents()), cursor, "no agents")
            about = plain(caxton.agent(name))
            logs = caxton.agent_logs(name, limit=30, newest=True)
        lines = [f"{key}: {compact(value)}" for key, value in about.items() if value not in (None, [], {})]
        lines += [
            f"log {text_of(one.at)} {one.level}: {safe(one.message)} {compact(one.fields)}" for one in logs
        ]
        return bounded(lines, cursor)

    def send(
        self,
        to: list[str],
        content: Any = None,
        act: str = "request",
        conversation: str | None = None,
        protocol: str | None = None,
        wait_s: float = 10.0,
        replies: int = 1,
    ) -> str:
        """Send one message as the operator and wait for its replies.

        `content` is any JSON. `act` is a FIPA performative (request, query-ref, cfp, inform, ...). Give `protocol`
        (such as fipa-request) to have the referee judge the conversation. `wait_s` 0 does not wait.
        """
        message: dict[str, Any] = {"performative": act, "receiver": to, "content": content}
        more = {"conversation_id": conversation, "protocol": protocol}
        message |= {key: value for key, value in more.items() if value is not None}
        wait = min(wait_s, MOST_WAIT_S)
        with self.client(wait + 10.0) as caxton:
            sent = caxton.send(message, wait_s=wait or None, replies=replies)
        lines = [f"sent as message {sent.seq} in conversation {safe(sent.conversation_id)}"]
        if sent.held:
            lines.append(
                f"it waits for the approval {sent.approval}" if sent.approval else "a break point holds it"
            )
        lines += _messages(sent.replies)
        if wait and len(sent.replies) < replies:
            ended = sent.ended if isinstance(sent.ended, str) else f"no more came within {wait:g} s"
            lines.append(f"{len(sent.replies)} of {replies} replies: {safe(ended)}")
        return bounded(lines)

    def conversations(self, filter: str = "", limit: int = 20, cursor: int = 0) -> str:
        """Conversations, the newest first: id, protocol, state, messages, violations, members.

        `filter` is Caxton's filter language: `protocol:contract is:problem`, `agent:buyer`, `since:5m`, `took:>1s`
        (docs: read "finding").
        """
        wanted = filtered_lists.wanted(filter)
        with self.client(PATIENCE_S) as caxton:
            found = filtered_lists.conversations(caxton, wanted, cursor + limit, None)
        return bounded(_some(map(_conversation_line, found), cursor + limit), cursor, "no conversations")

    def conversation(self, id: str, form: Form = "diagram", cursor: int = 0) -> str:
        """One conversation as a sequence diagram, as messages with their content, or with time and fuel of turns."""
        with self.client(PATIENCE_S) as caxton:
            found = caxton.conversation(id, limit=READ)
            platform = str(caxton.status().platform)
        if form == "diagram":
            lines = draw_text(read_timeline(found, platform), DIAGRAM).splitlines()
        else:
            lines = _messages(found.items, turns=form == "turns")
        if found.messages > len(found.items):
            lines.append(f"… {found.messages - len(found.items):,} later messages are not shown")
        return bounded(lines, cursor)

    async def events(self, after: int | None = None, filter: str = "", wait_s: float = 20.0) -> str:
        """What happens, as it happens: messages, dead letters, changes of agents and deployments.

        Waits until something passes `filter` (of messages; see `conversations`) or `wait_s` is over. Go on with the
        `after` that the answer ends with; without `after` it begins now.
        """
        wanted, last = Filter(filter), after
        lines: list[str] = []
        async with self.async_client(PATIENCE_S) as caxton:
            status = await caxton.status()
            last = status.journal.committed_seq if last is None else last
            until = time.monotonic() + min(wait_s, MOST_WAIT_S)
            events = caxton.events(after=last, kinds=_KINDS)
            try:
                while sum(map(len, lines)) < MOST - 600:
                    # when something has come, what came with it is taken too
                    left = 0.2 if lines else until - time.monotonic()
                    event = await asyncio.wait_for(anext(events), max(left, 0.0))
                    last = event.seq if event.seq is not None else last
                    if event.kind == "message":
                        stored = event.stored
                        if not wanted or wanted.passes(
                            MessageSubject(stored.message, status.platform, stored)
                        ):
                            lines.append(_message_line(stored))
                    elif not wanted:
                        lines.append(f"{event.kind}: {compact(event.data, 300)}")
            except TimeoutError:
                pass
            finally:
                await events.aclose()
        return "\n".join([*(lines or ["nothing came"]), f"after={last}"])

    def problems(self, since: str = "1h", cursor: int = 0) -> str:
        """What wants a decision or went wrong, newest first: approvals that wait, agents that wait for each other, or
        say the same again and again, failed ones, dead letters, protocol violations, failed deployments.

        `since` is a duration such as 5m, 1h, 2d.
        """
        wanted = filtered_lists.wanted("is:problem", since)
        begin = next(at for at in wanted.times() if at is not None)
        with self.client(PATIENCE_S) as caxton:
            waiting = caxton.approvals(limit=50)
            standstills = list(standstill_lines(caxton.status()))
            failed = [one for one in caxton.agents() if one.state == "failed" or one.kept_out]
            letters = [
                one for one in caxton.dead_letters(waiting=True, limit=200) if one.at.timestamp() >= begin
            ]
            bad = filtered_lists.messages(
                caxton, wanted, 200, conversation=None, agent=None, performative=None
            )
            deployments = [
                one
                for one in caxton.deployments(limit=50)
                if one.updated_at.timestamp() >= begin
                and (one.state in ("failed", "rolled_back") or one.waits)
            ]
        found = [(one.at, _message_line(one)) for one in bad]
        found += [
            (one.at, f"dead letter: message {one.seq} for {safe(one.agent)}: {one.code}: {safe(one.reason)}")
            for one in letters
        ]
        found += [(one.updated_at, _deployment_line(one)) for one in deployments]
        lines = [
            *map(_approval_line, waiting),
            *standstills,
            *(f"agent {_agent_line(one)}" for one in failed),
        ]
        lines += [f"{text_of(at)} {line}" for at, line in sorted(found, key=lambda one: one[0], reverse=True)]
        return bounded(lines, cursor, f"no problems since {since}")

    def replay(
        self,
        conversations: list[str] | None = None,
        last: int = 0,
        build: str | None = None,
        agent: str | None = None,
        cursor: int = 0,
    ) -> str:
        """Run recorded conversations once more, by id or the `last` N, with no effect; says which turns differ.

        `build` is a file (.wasm, .wat, .py) to try in place of the running build of `agent`.
        """
        if not conversations and not last:
            raise ConfigurationError("it is not said what to replay", hint="give conversations, or last=20")
        code = module_of(self.build(build)) if build is not None else None
        with self.client(MOST_WAIT_S + 10.0) as caxton:
            report = caxton.replay(
                conversations or [],
                last=last,
                agent=agent,
                wasm=code,
                timeout_s=MOST_WAIT_S,
                baseline=code is not None,
            )
        return bounded(_report(report), cursor)

    def deploy(self, agent: str, build: str, strategy: Strategy = "direct", plan: bool = False) -> str:
        """Bring a build (a .wasm, .wat or .py file) to an agent, new or running; its mailbox and memory stay.

        With `plan` it only says what would change. blue-green, canary and shadow go on by themselves after the answer.
        """
        code = module_of(self.build(build))
        with self.client(MOST_WAIT_S + 10.0) as caxton:
            if plan:
                return bounded(_plan(caxton.plan(agent, code, strategy=strategy)))
            made = caxton.deploy(agent, code, strategy=strategy)
        if made.state in ("failed", "rolled_back"):
            raise DeploymentError(f"{agent}: {made.reason or made.state}", hint="tool problems has more")
        return _deployment_line(made)

    def task(
        self,
        protocol: str,
        to: list[str],
        content: Any = None,
        choose: str | None = None,
        reply_by: str | None = None,
        deadline: str | None = None,
        wait_s: float = 30.0,
    ) -> str:
        """Run a whole protocol as its initiator and report each participant's outcome.

        `protocol`: request, query, contract-net, iterated-contract-net, propose, subscribe, auction-english,
        auction-dutch. `choose`: lowest:PATH, highest:PATH, first, all or none. Durations as 2s, 1m.
        """
        body: dict[str, Any] = {"protocol": protocol, "to": to}
        given = {"content": content, "choose": choose, "reply_by": reply_by, "deadline": deadline}
        body |= {key: value for key, value in given.items() if value is not None}
        wait = min(wait_s, MOST_WAIT_S)
        with self.client(wait + 10.0) as caxton:
            return bounded(_task(caxton.run_task(body, wait_s=wait)))

    def decide(self, seq: int, yes: bool, note: str = "") -> str:
        """Approve (`yes`) or refuse the message that waits under that number for an approval (see `problems`).

        What you decide is recorded as decided through MCP. `note` says why; the sender of a refused one is told.
        """
        with self.client(PATIENCE_S) as caxton:
            act = caxton.approve if yes else caxton.refuse
            done = act(seq, note=note, through="mcp")
        return f"message {seq} {done.state}" + (f" as {done.went_on}" if done.went_on else "")

    def docs(self, words: str | None = None, page: str | None = None, cursor: int = 0) -> str:
        """Caxton's documentation: search sections by `words`, or read a `page`; with neither, the pages."""
        where = doc_pages.folder()
        known = doc_pages.pages(where)
        if page is not None:
            if page not in known:
                raise ConfigurationError(
                    f"there is no page {page!r}", hint=f"the pages are {', '.join(known)}"
                )
            return bounded(known[page].read_text("utf-8").splitlines(), cursor)
        wanted = (words or "").split()
        if not wanted:
            firsts = (next(doc_pages.sections(name, path.read_text("utf-8"))) for name, path in known.items())
            return bounded((f"{one.page}: {one.heading}" for one in firsts), cursor)
        folded = [word.casefold() for word in wanted]
        found = (f"{one.page} / {one.heading}: {one.line(folded)}" for one in doc_pages.find(where, wanted))
        return bounded(found, cursor, f"no section has {' and '.join(map(repr, wanted))}")


LOOKING: Final = ("status", "agents", "conversations", "conversation", "events", "problems", "replay", "docs")
"""Tools that change nothing."""
DECIDING: Final = ("decide",)
"""What `[mcp] approve` in caxton.toml adds."""
ACTING: Final = ("send", "deploy", "task")
"""Tools that `--read-only` leaves out."""


def _some(lines: Iterable[str], wanted: int) -> Iterator[str]:
    """The lines, and one more where there may be others behind as many as were wanted."""
    number = 0
    for line in lines:
        number += 1
        yield line
    if number == wanted:
        yield f"there may be more: call again with cursor={number}"


def _agent_line(one: AgentBody) -> str:
    words = [
        f"{safe(one.name)}: {one.state}",
        f"build {one.revision[:12]}" if one.revision else "no build",
        f"{one.mailbox} waiting",
        f"{plural(one.turns, 'turn')} ({one.failed_turns:,} failed)",
        f"{one.fuel:,} fuel",
        memory(one.memory_kib),
    ]
    if one.restarts:
        words.append(plural(one.restarts, "restart"))
    if one.reason or one.last_error:
        words.append(f"error: {safe(one.reason or one.last_error)}")
    return ", ".join(words)


def _conversation_line(one: ConversationBody) -> str:
    members = ", ".join(safe(short(name)) for name in one.participants)
    words = [safe(one.id), one.protocol or "no protocol", str(one.state or ""), str(one.outcome or "")]
    words += [plural(one.messages, "message"), text_of(one.started_at), members]
    if one.violations:
        words.append(plural(one.violations, "violation"))
    return "  ".join(word for word in words if word)


def _message_line(stored: MessageBody) -> str:
    said = stored.message
    to = ", ".join(safe(short(name)) for name in said.receiver)
    judged = f"  [{stored.verdict.rule}: {safe(stored.verdict.sentence)}]" if stored.verdict else ""
    letters = "".join(f"  [dead letter: {one.code}]" for one in stored.dead_letters or ())
    return (
        f"#{stored.seq} {safe(said.conversation_id)}: {safe(short(said.sender))} {said.performative} → {to}  "
        f"{compact(said.content, 300)}{judged}{letters}"
    )


def _messages(stored: Iterable[MessageBody], *, turns: bool = False) -> list[str]:
    lines: list[str] = []
    shown = MessageLines(lines.append, colour=False, headings=False, turns=turns)
    for one in stored:
        shown.message(one)
    return lines


def _approval_line(one: ApprovalBody) -> str:
    said = one.message
    to = ", ".join(safe(short(name)) for name in said.receiver)
    needs = safe(", ".join(one.needs) or one.approval)
    asks = f"{safe(short(said.sender))} {said.performative} → {to}  {compact(said.content, 300)}"
    return f"message {one.seq} waits for the approval {needs}, given by {safe(', '.join(one.by))}: {asks}"


def _deployment_line(one: DeploymentBody) -> str:
    waits = ", waits for a decision" if one.waits else ""
    reason = f": {safe(one.reason)}" if one.reason else ""
    build = f" of {one.revision[:12]}" if one.revision else ""
    return f"deployment {one.id} of {safe(one.agent)}: {one.strategy}{build}: {one.state}{waits}{reason}"


def _report(report: ReplayBody) -> Iterator[str]:
    yield totals_line(report.totals)
    for turn in report.turns:
        if turn.verdict != "same":
            yield from (f"{safe(turn.conversation_id)}  {line}" for line in turn_lines(turn, colour=False))
    yield from map(start_line, report.agents)
    if report.timed_out:
        yield "the time was over before all of it was run"


def _plan(made: PlanBody) -> Iterator[str]:
    if made.unchanged:
        yield f"{safe(made.agent)} runs that build already: nothing would change"
    else:
        yield f"{safe(made.agent)} {'is new' if made.new else f'is {made.state}'}; this would change:"
    yield from (f"{safe(one.what)}: {compact(one.before)} -> {compact(one.after)}" for one in made.changes)


def _task(found: TaskDetail) -> Iterator[str]:
    why = f": {safe(found.reason)}" if found.reason else ""
    yield f"task {found.id}, conversation {safe(found.conversation_id)}: {found.ending or 'under way'}{why}"
    for branch in found.branches:
        yield compact({key: value for key, value in plain(branch).items() if value not in (None, [], 0)})
