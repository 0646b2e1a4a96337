"""What a client asks a daemon, without the connection.

In: a method's arguments. Out: a `Call`. What comes back is read by `answers`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from caxton import exact_numbers
from caxton.schemas.deployments import ASK_LIVE

Json = dict[str, Any]
"""An object that a request has in it, or an event of the stream."""

PAGE = 1000
"""The most items that one request may ask for."""
SILENCE_S = 45.0
"""An event stream that says nothing for so long, not even its heartbeat, is broken."""

PROBATION_S = 60.0
"""How long a client waits for the end of a probation whose length it does not know."""

ALL = 1 << 62
"""As many items as there are."""

TASK_S = 3600.0
"""How long a client waits for the end of a task: as long as the daemon does."""

TRANSFER_S = 60.0
"""What taking an agent out or in may take on top: a long turn, a large state, a module to compile."""

LIVE_S = 600.0
"""How long a build that waits may ask models and tools for real."""
RETRY_S = 0.2
"""Pause before a broken event stream, or what is waited for, is asked for again."""

RESTART_S = 15.0
"""How long who waits for something waits for the daemon to be there again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `extra_s` is what the daemon may take on top of the client's own patience, in seconds."""

    method: str
    path: str
    query: Mapping[str, str | int | None] = field(default_factory=dict[str, "str | int | None"])
    body: bytes | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    extra_s: float = 0.0

    def request(
        self, client: httpx.Client | httpx.AsyncClient, timeout: float | httpx.Timeout
    ) -> httpx.Request:
        """The request as httpx sends it."""
        headers = {name: value for name, value in self.headers.items() if value is not None}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if not isinstance(timeout, httpx.Timeout):
            timeout = httpx.Timeout(timeout + self.extra_s)
        query = {name: value for name, value in self.query.items() if value is not None}
        return client.build_request(
            self.method, self.path, params=query, content=self.body, headers=headers, timeout=timeout
        )


def deploy(
    name: str,
    wasm: bytes,
    settings: Json | None,
    limits: Mapping[str, int | str] | None,
    profile: str,
    strategy: str,
    fresh_state: bool = False,
    probation_turns: int | None = None,
    probation_s: float | None = None,
    recover: str | None = None,
    how: Json | None = None,
    path: str = "/api/v1/agents",
) -> Call:
    """Bring a module (wasm, or text in the WAT format) to an agent. `probation_s`: seconds; `how`: further fields."""
    body = {
        "name": name,
        "wasm_module": base64.b64encode(wasm).decode(),
        "settings": settings,
        "limits": limits,
        "profile": profile,
        "strategy": strategy,
        "fresh_state": fresh_state,
        "probation_turns": probation_turns,
        "probation_s": probation_s,
        "recover": recover,
        **(how or {}),
    }
    # the answer comes when the probation is over
    extra_s = 0.0 if strategy == "direct" else probation_s or PROBATION_S
    return Call("POST", path, body=exact_numbers.encode(body), extra_s=extra_s)


def export(name: str, keep: bool, force: bool) -> Call:
    """An agent's bundle; its present turn ends first."""
    path = f"/api/v1/agents/{quoted(name)}/export"
    return Call("POST", path, body=exact_numbers.encode({"keep": keep, "force": force}), extra_s=TRANSFER_S)


def leave(name: str, moment: int) -> Call:
    """An agent's bundle of that moment is kept."""
    return Call("POST", f"/api/v1/agents/{quoted(name)}/leave", body=exact_numbers.encode({"moment": moment}))


def take_in(bundle: bytes, force: bool) -> Call:
    """Bring the agent of a bundle to work."""
    body = {"bundle": base64.b64encode(bundle).decode(), "force": force}
    return Call("POST", "/api/v1/agents/import", body=exact_numbers.encode(body), extra_s=TRANSFER_S)


def replay(
    conversations: Sequence[str],
    last: int,
    agent: str | None,
    wasm: bytes | None,
    timeout_s: float,
    baseline: bool,
    live: bool,
) -> Call:
    """Run recorded conversations against a build."""
    body = {
        "conversations": list(conversations),
        "last": last,
        "agent": agent,
        "wasm_module": None if wasm is None else base64.b64encode(wasm).decode(),
        "timeout_s": timeout_s,
        "baseline": baseline,
        "live": live,
    }
    # the build is compiled first
    return Call("POST", "/api/v1/replays", body=exact_numbers.encode(body), extra_s=timeout_s * 2 + 60)


def decide(id: str, step: str) -> Call:
    """Undo a deployment (`rollback`), or end one under way (`promote`, `abort`); `ask-live` for one that waits."""
    extra_s = LIVE_S if step == ASK_LIVE else 0.0
    return Call("POST", f"/api/v1/deployments/{quoted(id)}/{quoted(step)}", extra_s=extra_s)


def df_search(description: Mapping[str, Any] | None, constraints: Mapping[str, Any] | None) -> Call:
    """Search the directory."""
    said = {"description": description, "constraints": constraints}
    body = {key: value for key, value in said.items() if value is not None}
    return Call("POST", "/api/v1/df/search", body=exact_numbers.encode(body))


def purge(name: str, filter: str, reason: str | None) -> Call:
    """Make what waits for an agent dead letters."""
    body = {"filter": filter} if reason is None else {"filter": filter, "reason": reason}
    return Call("POST", f"/api/v1/agents/{quoted(name)}/mailbox/purge", body=exact_numbers.encode(body))


def add_break(text: str, name: str | None, count: int | None, duration: str | None) -> Call:
    """Make a break point."""
    body = {"filter": text, "name": name, "count": count, "duration": duration}
    return Call("POST", "/api/v1/breaks", body=exact_numbers.encode(body))


def dead_letters(step: str, choice: Mapping[str, Any]) -> Call:
    """End the dead letters that are meant."""
    return Call("POST", f"/api/v1/dead-letters/{step}", body=exact_numbers.encode(choice))


def held_step(seq: int, step: str, body: Mapping[str, Any] | None = None) -> Call:
    """Do something about one held message."""
    said = exact_numbers.encode(body) if body is not None else None
    return Call("POST", f"/api/v1/held/{seq}/{quoted(step)}", body=said)


def approval_step(seq: int, step: str, note: str, through: str | None) -> Call:
    """Say yes or no to a message that waits for it."""
    body = {"note": note, "through": through}
    return Call("POST", f"/api/v1/approvals/{seq}/{quoted(step)}", body=exact_numbers.encode(body))


def held_some(step: str, break_id: str | None, conversation: str | None, following: bool) -> Call:
    """Do something about several held messages."""
    body = {"break_id": break_id, "conversation": conversation, "next": following}
    return Call("POST", f"/api/v1/held/{quoted(step)}", body=exact_numbers.encode(body))


def create_token(name: str, role: str, agents: Sequence[str], expires: str | None) -> Call:
    """Make a token."""
    body = {"name": name, "role": role, "agents": [*agents], "expires": expires}
    return Call("POST", "/api/v1/tokens", body=exact_numbers.encode(body))


def send(
    message: Mapping[str, Any] | bytes,
    wait_s: float | None,
    replies: int,
    sender: str | None,
    traceparent: str | None,
    idempotency_key: str | None,
) -> Call:
    """Send a message, as an object or as JSON that is passed on as it is."""
    return Call(
        "POST",
        "/api/v1/messages",
        {"wait": wait_s if wait_s is None else f"{wait_s:f}", "replies": replies, "sender": sender},
        message if isinstance(message, bytes) else exact_numbers.encode(message),
        {"traceparent": traceparent, "idempotency-key": idempotency_key},
        wait_s or 0.0,
    )


def run_task(body: Mapping[str, Any], idempotency_key: str) -> Call:
    """Begin to run a protocol."""
    headers = {"idempotency-key": idempotency_key}
    return Call("POST", "/api/v1/tasks", {"wait": "0"}, exact_numbers.encode(body), headers)


def task(id: str, wait_s: float) -> Call:
    """One task, after waiting for its end."""
    return Call("GET", f"/api/v1/tasks/{quoted(id)}", {"wait": f"{wait_s:f}"}, extra_s=wait_s)


def cancel_task(id: str, wait_s: float) -> Call:
    """Cancel one, and wait for its end."""
    path = f"/api/v1/tasks/{quoted(id)}/cancel"
    return Call("POST", path, {"wait": f"{wait_s:f}"}, extra_s=wait_s)


def events(
    after: int | None,
    kinds: Sequence[str] | None,
    agent: str | None,
    conversation: str | None,
    back: int | None,
) -> Call:
    """The event stream from a row on, or from now or `back` rows before."""
    return Call(
        "GET",
        "/api/v1/events",
        {
            "after": after,
            "kinds": ",".join(kinds) if kinds else None,
            "agent": agent,
            "conversation": conversation,
            "back": back,
        },
    )


def quoted(part: str) -> str:
    """A name or id as one part of a path."""
    return quote(part, safe="")
