"""Which addresses are reached: those of the open internet, and of other networks only what is named.

In: a host as a URL has it. Out: an address that was checked, for a connection to that very address: a name that means
another address a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Closed(Exception):
    """Raised for a host that is not reached, with the reason."""


def is_open(address: Address, private: Sequence[Network]) -> bool:
    """Whether an address is reached; one that carries another is what it carries."""
    inner = _inside(address)
    if inner is not None:
        return is_open(inner, private)
    if any(address.version == network.version and address in network for network in private):
        return True
    return address.is_global and not address.is_multicast


async def resolved(host: str, port: int, private: Sequence[Network]) -> list[str]:
    """The addresses of a host, all of them checked. Raises Closed."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Closed(f"{host} has no address: {error}") from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for text in addresses:
        if not is_open(ipaddress.ip_address(text.partition("%")[0]), private):
            raise Closed(
                f"{host} is {text}, which is no address of the open internet; `private` names others"
            )
    return addresses


def _inside(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
