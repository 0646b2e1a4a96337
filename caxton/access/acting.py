"""How a gateway of the daemon's own asks in the name of who has come to it.

In: a principal and the address that it came from. Out: the value of a header, and both again. The header counts on the
project's Unix socket only, whose owner may do everything: it can only take rights away.
"""

from __future__ import annotations

import base64

import msgspec

from caxton.access.principal import OWNER, Principal, Role
from caxton.errors import SecurityError
from caxton.schemas.access import ACTING_FOR


class _Told(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    role: Role
    agents: tuple[str, ...]
    platform: str
    address: str
    token: str | None = None
    expires_us: int | None = None


_read = msgspec.json.Decoder(_Told).decode


def acting_for(principal: Principal, address: str) -> str:
    """What stands in the header."""
    one = principal
    told = _Told(one.name, one.role, one.agents, one.platform, address, one.token, one.expires_us)
    return base64.b64encode(msgspec.json.encode(told)).decode()


def read_acting_for(said: str) -> tuple[Principal, str]:
    """The principal and its address; SecurityError where the header says nothing of the kind."""
    try:
        told = _read(base64.b64decode(said, validate=True))
    except (ValueError, msgspec.MsgspecError) as error:
        raise SecurityError(f"the header {ACTING_FOR} cannot be read", hint="gateways write it") from error
    one = Principal(told.name, told.role, told.agents, told.platform, told.token, told.expires_us)
    return (OWNER if one == OWNER else one), told.address
