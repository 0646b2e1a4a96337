"""Who makes this request, for routes that look themselves what it concerns.

In: a request. Out: its principal; a refusal where an agent is out of its reach.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

from caxton.access import OWNER, Principal
from caxton.errors import SecurityError


def principal_of(connection: HTTPConnection) -> Principal:
    """Who makes the request: the owner where it came by the project's own socket."""
    found: Principal = connection.scope.get("state", {}).get("principal", OWNER)
    return found


def within_reach(connection: HTTPConnection, *agents: str) -> None:
    """SecurityError where one of these agents is out of the principal's reach."""
    principal = principal_of(connection)
    for agent in agents:
        if not principal.reaches(agent):
            raise out_of_reach(principal, agent)


def out_of_reach(principal: Principal, agent: str | None = None) -> SecurityError:
    """The refusal of what a token does not hold for: that agent, or the whole platform."""
    what = f"the agent {agent[:80]!r} is" if agent is not None else "the whole platform is"
    return SecurityError(
        f"{principal.name} holds for the agents {', '.join(principal.agents)}; {what} out of its reach",
        hint="ask for a token with other --agents",
        agents=list(principal.agents),
    )
