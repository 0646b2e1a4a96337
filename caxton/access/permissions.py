"""The one table of routes: which role each needs, and how the scope of a token holds there.

In: a method and the template of a path. Out: a `Permission`; a route without one is refused to everybody who comes by
TCP, and fails the suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from caxton.access.principal import Role

_V1 = "/api/v1"


class Reach(Enum):
    """How a token that holds for some agents only is kept to them."""

    NOTHING = auto()
    """The route says and changes nothing of a single agent."""
    PATH = auto()
    """The agent stands in the path, as `name`."""
    ANSWER = auto()
    """Only the answer is cut down, to the objects whose `names` have an agent within reach."""
    ROUTE = auto()
    """The route itself asks, by `caxton.api.principals`: what it concerns stands in the body, or in the journal."""
    ALL = auto()
    """The route concerns the whole platform: for tokens that hold for all agents."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may use a route; without a role everybody, also without a credential."""

    role: Role | None
    reach: Reach
    names: tuple[str, ...] = ()
    """Where each object of an answer has its agents, for it to be cut down; a dot goes one object deeper."""
    gateway: bool = False
    """Whether a gateway answers, by requests of its own in the principal's name: each of them is judged by its route's
    entry and written down as its own. An answer may go on, and ends with the token."""


_MESSAGE = ("message.sender", "message.receiver")


def _read(reach: Reach, *names: str) -> Permission:
    return Permission(Role.VIEWER, reach, names)


def _operate(reach: Reach, *names: str) -> Permission:
    return Permission(Role.OPERATOR, reach, names)


def _develop(reach: Reach, *names: str) -> Permission:
    return Permission(Role.DEVELOPER, reach, names)


_GATEWAY = Permission(Role.VIEWER, Reach.ROUTE, gateway=True)
_GATEWAY_OF_AGENT = Permission(Role.VIEWER, Reach.PATH, gateway=True)
_ADMINISTER = Permission(Role.ADMIN, Reach.ALL)

PERMISSIONS: Final[dict[str, Permission]] = {
    "GET /health": Permission(None, Reach.NOTHING),
    "GET /ready": _read(Reach.ALL),
    "GET /metrics": _read(Reach.ALL),
    f"GET {_V1}/openapi.json": _read(Reach.NOTHING),
    f"GET {_V1}/identity": _read(Reach.NOTHING),
    f"GET {_V1}/status": _read(Reach.NOTHING),
    f"POST {_V1}/daemon/stop": _ADMINISTER,
    f"GET {_V1}/tokens": _ADMINISTER,
    f"POST {_V1}/tokens": _ADMINISTER,
    f"DELETE {_V1}/tokens/{{token}}": _ADMINISTER,
    f"POST {_V1}/tokens/{{token}}/rotate": _ADMINISTER,
    f"GET {_V1}/audit": _ADMINISTER,
    # agents and what belongs to one
    f"GET {_V1}/agents": _read(Reach.ANSWER, "name"),
    f"POST {_V1}/agents": _develop(Reach.ROUTE),
    f"POST {_V1}/agents/plan": _develop(Reach.ROUTE),
    f"POST {_V1}/agents/import": _develop(Reach.ALL),
    f"GET {_V1}/agents/{{name}}": _read(Reach.PATH),
    f"DELETE {_V1}/agents/{{name}}": _develop(Reach.PATH),
    f"GET {_V1}/agents/{{name}}/logs": _read(Reach.PATH),
    f"GET {_V1}/agents/{{name}}/messages": _read(Reach.PATH),
    f"GET {_V1}/agents/{{name}}/refusals": _read(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/start": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/stop": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/drain": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/suspend": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/resume": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/restart": _operate(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/export": _develop(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/leave": _develop(Reach.PATH),
    f"GET {_V1}/agents/{{name}}/mailbox": _read(Reach.PATH),
    f"POST {_V1}/agents/{{name}}/mailbox/purge": _operate(Reach.PATH),
    # deployments
    f"GET {_V1}/deployments": _read(Reach.ANSWER, "agent"),
    f"GET {_V1}/deployments/{{id}}": _read(Reach.ANSWER, "agent"),
    f"POST {_V1}/deployments/{{id}}/rollback": _develop(Reach.ROUTE),
    f"POST {_V1}/deployments/{{id}}/promote": _develop(Reach.ROUTE),
    f"POST {_V1}/deployments/{{id}}/abort": _develop(Reach.ROUTE),
    f"POST {_V1}/deployments/{{id}}/ask-live": _develop(Reach.ROUTE),
    f"POST {_V1}/replays": _develop(Reach.ALL),
    f"GET {_V1}/pins": _read(Reach.ALL),
    f"PUT {_V1}/pins/{{id:path}}": _operate(Reach.ALL),
    f"DELETE {_V1}/pins/{{id:path}}": _operate(Reach.ALL),
    # messages
    f"POST {_V1}/messages": _operate(Reach.ROUTE, *_MESSAGE),
    f"GET {_V1}/messages": _read(Reach.ANSWER, *_MESSAGE),
    f"GET {_V1}/messages/{{id}}": _read(Reach.ANSWER, *_MESSAGE),
    f"GET {_V1}/conversations": _read(Reach.ANSWER, "initiator", "participants"),
    f"GET {_V1}/conversations/{{id:path}}": _read(Reach.ANSWER, *_MESSAGE),
    f"GET {_V1}/turns": _read(Reach.ANSWER, "agent"),
    f"GET {_V1}/events": _read(Reach.ROUTE),
    f"GET {_V1}/dead-letters": _read(Reach.ANSWER, "agent"),
    f"POST {_V1}/dead-letters/redeliver": _operate(Reach.ALL),
    f"POST {_V1}/dead-letters/drop": _operate(Reach.ALL),
    f"GET {_V1}/breaks": _read(Reach.ALL),
    f"POST {_V1}/breaks": _operate(Reach.ALL),
    f"DELETE {_V1}/breaks": _operate(Reach.ALL),
    f"DELETE {_V1}/breaks/{{id}}": _operate(Reach.ALL),
    f"GET {_V1}/held": _read(Reach.ANSWER, *_MESSAGE),
    f"GET {_V1}/held/{{seq}}": _read(Reach.ANSWER, *_MESSAGE),
    f"PATCH {_V1}/held/{{seq}}": _operate(Reach.ALL),
    f"POST {_V1}/held/release": _operate(Reach.ALL),
    f"POST {_V1}/held/drop": _operate(Reach.ALL),
    f"POST {_V1}/held/{{seq}}/release": _operate(Reach.ALL),
    f"POST {_V1}/held/{{seq}}/drop": _operate(Reach.ALL),
    f"POST {_V1}/held/{{seq}}/delay": _operate(Reach.ALL),
    f"GET {_V1}/approvals": _read(Reach.ANSWER, *_MESSAGE),
    f"GET {_V1}/approvals/steps": _read(Reach.ANSWER, "sender"),
    f"GET {_V1}/approvals/{{seq}}": _read(Reach.ANSWER, *_MESSAGE),
    f"PATCH {_V1}/approvals/{{seq}}": _operate(Reach.ROUTE),
    f"POST {_V1}/approvals/{{seq}}/yes": _operate(Reach.ROUTE),
    f"POST {_V1}/approvals/{{seq}}/no": _operate(Reach.ROUTE),
    f"GET {_V1}/tasks": _read(Reach.ALL),
    f"POST {_V1}/tasks": _operate(Reach.ALL),
    f"GET {_V1}/tasks/{{id}}": _read(Reach.ALL),
    f"POST {_V1}/tasks/{{id}}/cancel": _operate(Reach.ALL),
    # what the platform's own agents keep
    f"GET {_V1}/df": _read(Reach.ANSWER, "name"),
    f"POST {_V1}/df/search": _read(Reach.ANSWER, "name"),
    f"GET {_V1}/df/subscriptions": _read(Reach.ANSWER, "subscriber"),
    f"GET {_V1}/timers": _read(Reach.ANSWER, "owner"),
    f"GET {_V1}/effects": _read(Reach.ALL),
    f"GET {_V1}/usage": _read(Reach.ALL),
    f"GET {_V1}/topics": _read(Reach.ALL),
    f"GET {_V1}/topics/subscriptions": _read(Reach.ANSWER, "subscriber"),
    f"GET {_V1}/journal": _read(Reach.ALL),
    f"POST {_V1}/journal/trust-clock": _ADMINISTER,
    # other protocols
    "POST /mcp": _GATEWAY,
    "GET /.well-known/agent-card.json": _GATEWAY,
    "POST /a2a/{name}": _GATEWAY_OF_AGENT,
    "GET /a2a/{name}/{rest:path}": _GATEWAY_OF_AGENT,
    "POST /a2a/{name}/{rest:path}": _GATEWAY_OF_AGENT,
    "DELETE /a2a/{name}/{rest:path}": _GATEWAY_OF_AGENT,
}
"""By method and template of the path, as the routers have it."""
