"""An agent's card: what it says of itself to clients of A2A.

In: its registration with the df, where it has one. Out: an `AgentCard`, whose skills are the services that it offers.
"""

from __future__ import annotations

from collections.abc import Sequence

from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)

import caxton
from caxton.schemas.daemon import DfEntryBody

BINDINGS = ("JSONRPC", "HTTP+JSON")
MODES = ("application/json", "text/plain")


def card_of(agent: str, base: str, entries: Sequence[DfEntryBody]) -> AgentCard:
    """The card of that agent; `base`: where the daemon is reached."""
    url = f"{base}/a2a/{agent}"
    card = AgentCard(
        name=agent,
        description=f"The agent {agent} of a Caxton workbench, which speaks FIPA-ACL.",
        version=caxton.__version__,
        supported_interfaces=[
            AgentInterface(url=url, protocol_binding=one, protocol_version="1.0") for one in BINDINGS
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=False),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=_skills(agent, entries),
        security_requirements=[SecurityRequirement(schemes={"token": StringList()})],
    )
    bearer = HTTPAuthSecurityScheme(scheme="bearer", description="A token of caxton token create.")
    card.security_schemes["token"].CopyFrom(SecurityScheme(http_auth_security_scheme=bearer))
    return card


def _skills(agent: str, entries: Sequence[DfEntryBody]) -> list[AgentSkill]:
    services = [
        service
        for entry in entries
        if entry.name.partition("@")[0] == agent
        for service in entry.description.get("services", ())
    ]
    found = [
        AgentSkill(
            id=str(one.get("name") or one.get("type")),
            name=str(one.get("name") or one.get("type")),
            description=f"A service of the type {one.get('type', 'any')}.",
            tags=[str(one.get("type", "service"))],
        )
        for one in services
    ]
    anything = AgentSkill(
        id="request",
        name="request",
        description=f"What {agent} does when it is asked.",
        tags=["fipa-request"],
    )
    return found or [anything]
