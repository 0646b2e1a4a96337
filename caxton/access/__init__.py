"""Who may do what over the network: tokens, roles, scopes, and the one table of routes.

In: a credential and a request. Out: a `Principal`, and whether it may. Nothing here opens a socket or knows a server;
`caxton.api.guard` asks it for every request that comes by TCP. Whoever opens the project's Unix socket is its owner.
"""

from caxton.access.acting import acting_for, read_acting_for
from caxton.access.permissions import PERMISSIONS, Permission, Reach
from caxton.access.principal import OWNER, Principal, Role, role_of
from caxton.access.rates import Rates
from caxton.access.redaction import hide, redacted
from caxton.access.tokens import AGENT_PATTERN, TOKEN_NAME, Token, Tokens, expiry

__all__ = [
    "AGENT_PATTERN",
    "OWNER",
    "PERMISSIONS",
    "TOKEN_NAME",
    "Permission",
    "Principal",
    "Rates",
    "Reach",
    "Role",
    "Token",
    "Tokens",
    "acting_for",
    "expiry",
    "hide",
    "read_acting_for",
    "redacted",
    "role_of",
]
