"""What every kind of row has in common that is rare beside messages and turns.

In: the fields of a record. Out: the parameters of one statement for many records of one kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

AGENT_BITS = 20
"""A turn's key is `seq << AGENT_BITS | agent number`, so turns lie in the order of their messages."""
MAX_AGENT_NO = (1 << AGENT_BITS) - 1

Scalar = int | str | None


class Record(ABC):
    """One row that is rare beside messages and turns.

    `sql` takes two parameters: ?1 a JSON array of rows (`fields()` plus offset and length of `blob`), ?2
    the blobs joined. So many records of one kind cost one statement.
    """

    __slots__ = ()
    sql: ClassVar[str]
    takes_blob: ClassVar[bool] = False

    @property
    def blob(self) -> bytes:
        """Bytes that do not go through JSON."""
        return b""

    @abstractmethod
    def fields(self) -> tuple[Scalar, ...]:
        """The row's columns in the order in which `sql` reads them."""


def insert(table: str, columns: int, *, blob: bool = False, verb: str = "insert or replace") -> str:
    """The statement by which records of one kind go into their table."""
    values = [f"value->>{n}" for n in range(columns)]
    if blob:
        # substr of an empty blob is null, and an agent's state may be empty
        values.append(f"coalesce(substr(?2, value->>{columns}, value->>{columns + 1}), x'')")
    return f"{verb} into {table} select {', '.join(values)} from json_each(?1)"


class InPlace(Record):
    """A row that is about the turn in a place."""

    __slots__ = ()
    place: int
