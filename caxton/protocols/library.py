"""Which protocols there are: FIPA's eleven, and those that a project adds.

In: a protocol's name as a message gives it, in any case. Out: the `Protocol`, or None for one that nobody here knows.
The architecture document's names (RequestReply, ContractNet, Auction, Negotiation, Subscribe) are accepted, and FIPA's
without `fipa-`, so that a message is not passed unjudged for want of a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from caxton.errors import ConfigurationError
from caxton.protocols.conversation import Conversation
from caxton.protocols.protocol import Protocol
from caxton.protocols.table import read_table

TABLES: Final = (
    "request",
    "query",
    "request-when",
    "contract-net",
    "iterated-contract-net",
    "auction-english",
    "auction-dutch",
    "brokering",
    "recruiting",
    "subscribe",
    "propose",
)
"""The files of FIPA's protocols, in the order of these pages."""


class Library:
    """Protocols by name."""

    __slots__ = ("_by_name", "protocols", "tables")

    def __init__(self, protocols: Iterable[Protocol]) -> None:
        self.protocols: dict[str, Protocol] = {}
        """By their own names, lower case."""
        self.tables: dict[str, Protocol] = {}
        """By the hash of their table: those above, and earlier ones by which conversations go on."""
        self._by_name: dict[str, Protocol] = {}
        for protocol in protocols:
            self.add(protocol)

    def add(self, protocol: Protocol) -> None:
        """Add one.

        Raises ConfigurationError where one of its names is taken.
        """
        for name in (protocol.name, *protocol.names):
            there = self._by_name.get(name)
            if there is not None and there is not protocol:
                raise ConfigurationError(
                    f"the protocol name {name!r} belongs to {there.name}", hint="choose another name"
                )
        self.protocols[protocol.name] = protocol
        self.keep(protocol)
        for name in (protocol.name, *protocol.names):
            self._by_name[name] = protocol

    def keep(self, protocol: Protocol) -> None:
        """A table by which conversations that have begun go on; new ones do not begin by it."""
        self.tables[protocol.table] = protocol

    def of(self, conversation: Conversation) -> Protocol | None:
        """The table by which a conversation began; None where nobody has it any more."""
        return self.tables.get(conversation.table)

    def find(self, name: str) -> Protocol | None:
        """The protocol that a message means by this name."""
        return self._by_name.get(name) or self._by_name.get(name.lower())


@cache
def _fipa() -> tuple[Protocol, ...]:
    folder = files("caxton.protocols") / "tables"
    return tuple(read_table((folder / f"{name}.toml").read_text("utf-8"), f"{name}.toml") for name in TABLES)


def library(tables: Iterable[Path] = ()) -> Library:
    """FIPA's protocols and those of these files.

    Raises ConfigurationError for a table that is not sound, a name that is taken, or a file that cannot be read.
    """
    found = Library(_fipa())
    for path in tables:
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"cannot read {path}: {why}", hint="name a protocol's table") from None
        found.add(read_table(text, str(path)))
    return found
