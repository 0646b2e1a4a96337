"""What the operator types after `/`: which rows of the tape are shown.

    book !timer from:buyer act:cfp conv:market-1

Bare words stand anywhere in the row; `from:`, `to:`, `agent:` (either), `act:` and `conv:` in that field; `!` before
any of them turns it round. A row is shown when all of them hold. Case does not matter. A gap is always shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from caxton_tui.store import Entry

FIELDS: Final[dict[str, Callable[[Entry], str]]] = {
    "from": lambda entry: entry.sender,
    "to": lambda entry: entry.to,
    "act": lambda entry: entry.act,
    "conv": lambda entry: entry.conversation,
}


class Term(NamedTuple):
    """One word of a filter."""

    field: str
    """A key of `FIELDS`, `agent`, or empty for the whole row."""
    word: str
    inverse: bool

    def holds(self, entry: Entry) -> bool:
        """Whether a row meets this word."""
        return self._found(entry) is not self.inverse

    def _found(self, entry: Entry) -> bool:
        if self.field == "agent":
            # a whole name, for `buyer` is not `buyer-2`
            return self.word in (entry.sender.casefold(), *entry.to.casefold().split(", "))
        text = FIELDS[self.field](entry) if self.field else entry.haystack
        return self.word in text.casefold()


class Filter:
    """A filter as typed; with nothing in it everything passes."""

    def __init__(self, text: str = "") -> None:
        self.text = text.strip()
        self._terms = [_term(word) for word in self.text.casefold().split()]

    def __bool__(self) -> bool:
        return bool(self._terms)

    def passes(self, entry: Entry) -> bool:
        """Whether a row is shown."""
        return entry.kind == "gap" or all(term.holds(entry) for term in self._terms)


def _term(text: str) -> Term:
    inverse = text.startswith("!") and len(text) > 1
    text = text[1:] if inverse else text
    field, colon, word = text.partition(":")
    if colon and word and (field in FIELDS or field == "agent"):
        return Term(field, word, inverse)
    return Term("", text, inverse)
