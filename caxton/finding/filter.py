"""What a person types to find something, read into terms.

    book !timer from:buyer act:refuse,failure conv:market-1 ~"price.*9" act:~"^re" since:5m content.amount:>100

A bare word stands anywhere; `field:word` in that field, `field:a,b` one of them; `~` before a word makes it a regular
expression, quotes let it hold spaces, `!` before a term turns it round. All terms must hold. Case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final, NamedTuple

from caxton.acl import Performative
from caxton.errors import InvalidFilter
from caxton.finding import places
from caxton.finding.bounds import BOUNDED, Bound, bound
from caxton.finding.places import Comparison
from caxton.finding.regular_expression import RegularExpression
from caxton.finding.subjects import Subject

FIELDS: Final[dict[str, str]] = {
    "from": "who says it; of a conversation, who began it",
    "to": "who is to get it",
    "agent": "either of them, by its whole name",
    "act": "FIPA's performative",
    "conv": "the conversation's id",
    "protocol": "the protocol's name",
    "state": "the conversation's state",
    "is": "problem: something went wrong there; open: not ended yet; pinned: for the gate",
    "since": "not before that time: 5m ago, 12:30 of today, 2026-01-31",
    "before": "before that time",
    "took": "how long it took: >10ms; of a conversation from its first message to its last",
    "fuel": "what a turn took of it: >1e6",
    "content": "what a message says, or a place in it: content.amount:>100, content.items.sku:red, content.to:=kiel",
}
"""The fields with what they mean."""

LONGEST: Final = 1_000
"""Characters of a filter."""

_WORD: Final = re.compile(
    r'(!*)(?:(content(?:\.(?:"[^"]+"|[^\s:."]+))+|[a-zA-Z_-]+):)?(~?)("(?:[^"\\]|\\.)*"|"[^"]*$|\S*)',
    re.DOTALL | re.IGNORECASE,
)
_WHOLE: Final = frozenset({"agent", "is"})
"""Fields that are compared whole, for `buyer` is not `buyer-2`."""
_STATES: Final = ("problem", "open", "pinned")


class Term(NamedTuple):
    """One term of a filter."""

    field: str
    """A key of `FIELDS`, or empty for anywhere."""
    words: tuple[str, ...]
    """Any of them, in lower case; with `pattern` unused."""
    pattern: RegularExpression | None
    inverse: bool
    bound: Bound | None = None
    place: tuple[str, ...] | None = None
    """Of a field `content`: the keys that lead there."""
    comparison: Comparison | None = None
    whole: bool = False
    """Whether what stands there is exactly one of the words."""

    def holds(self, subject: Subject) -> bool:
        """Whether it is so."""
        return self._found(subject) is not self.inverse

    def _found(self, subject: Subject) -> bool:
        if self.place is not None:
            return self._found_at(self.place, subject)
        if self.bound is not None:
            return any(map(self.bound.holds, subject.figures(self.field)))
        texts = subject.texts(self.field) if self.field else (subject.everything,)
        if self.pattern is not None:
            return any(map(self.pattern.occurs_in, texts))
        lower = [text.casefold() for text in texts] if self.field else texts
        if self.field in _WHOLE:
            return any(word in lower for word in self.words)
        return any(word in text for text in lower for word in self.words)

    def _found_at(self, place: tuple[str, ...], subject: Subject) -> bool:
        room = subject.room
        for value in places.values(subject.content, place):
            if self.comparison is not None:
                found = self.comparison.holds(value)
            elif self.pattern is not None:
                found = self.pattern.occurs_in(places.text(value, room))
            else:
                text = places.text(value, room).casefold()
                found = any(places.equal(value, word) if self.whole else word in text for word in self.words)
            if found:
                return True
        return False


class Filter:
    """A filter as it was typed; with nothing in it everything passes."""

    __slots__ = ("terms", "text")

    def __init__(self, text: str = "", now: datetime | None = None) -> None:
        """Raises InvalidFilter where the text is none; how long ago is counted from `now`."""
        self.text = text.strip()
        if len(self.text) > LONGEST:
            raise InvalidFilter(
                f"a filter has at most {LONGEST:,} characters, this one has {len(self.text):,}",
                hint="a part of a word is enough",
            )
        self.terms = tuple(_terms(self.text, (now or datetime.now(UTC)).astimezone()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def times(self) -> tuple[float | None, float | None]:
        """From when, and before when, all that passes is: seconds since 1970, or None."""
        said = [(term.field, term.bound.figure) for term in self.terms if term.bound and not term.inverse]
        since = max((figure for field, figure in said if field == "since"), default=None)
        return since, min((figure for field, figure in said if field == "before"), default=None)

    def passes(self, subject: Subject) -> bool:
        """Whether every term holds."""
        return all(term.holds(subject) for term in self.terms)


def _terms(text: str, now: datetime) -> list[Term]:
    found: list[Term] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _WORD.match(text, place)
        assert match is not None  # every part of the pattern may be empty
        place = max(match.end(), place + 1)
        found.append(_term(match, now))
    return found


def _term(match: re.Match[str], now: datetime) -> Term:
    said = match[0]
    marks, field, tilde, word = match[1], (match[2] or "").casefold(), match[3], match[4]
    path, dot, _ = field.partition(".")
    place: tuple[str, ...] | None = None
    if dot or path == "content":
        try:
            field, place = path, places.place(match[2])
        except ValueError as error:
            raise InvalidFilter(f"{said!r}: {error}", hint="for example content.amount:>100") from None
    if field and field not in FIELDS:
        raise InvalidFilter(
            f"{said!r}: there is no field {field!r}",
            hint=f'fields are {", ".join(FIELDS)}; words with a colon stand in quotes: "{match[2]}:{word}"',
        )
    quoted = word.startswith('"')
    if quoted:
        if len(word) < 2 or not word.endswith('"') or word.endswith('\\"'):
            raise InvalidFilter(f"{said!r}: the quote is not closed", hint='write "two words"')
        # a regular expression keeps its backslashes
        word = word[1:-1].replace('\\"', '"') if tilde else re.sub(r"\\(.)", r"\1", word[1:-1])
    if not word:
        raise InvalidFilter(f"{said!r}: a word is missing", hint="for example act:refuse, !timer, ~price")
    inverse = len(marks) % 2 == 1
    if field in BOUNDED:
        if tilde:
            raise InvalidFilter(f"{said!r}: {field}: compares, it has no ~", hint=f"{field}: {FIELDS[field]}")
        try:
            return Term(field, (word,), None, inverse, bound(field, word, now))
        except ValueError as error:
            raise InvalidFilter(f"{said!r}: {error}", hint=f"{field}: {FIELDS[field]}") from None
    pattern = comparison = None
    if place is not None and not tilde and not quoted:
        try:
            comparison = places.comparison(word.casefold())
        except ValueError as error:
            raise InvalidFilter(f"{said!r}: {error}", hint="for example content.amount:>100") from None
    if tilde:
        try:
            pattern = RegularExpression(word)
        except ValueError as error:
            raise InvalidFilter(
                f"{said!r}: no regular expression: {error}",
                hint="it is RE2's syntax, without looking around; without ~ the text is searched as it stands",
            ) from error
    lower = word.casefold()
    words = (lower,) if quoted or not field else tuple(part for part in lower.split(",") if part)
    whole = place is not None and lower.startswith("=") and not quoted
    if whole:
        words = tuple(lower[1:].split(","))
    words = words or (lower,)
    if pattern is None:
        _refuse_unknown(said, field, words)
    return Term(field, words, pattern, inverse, None, place, comparison, whole)


def _refuse_unknown(said: str, field: str, words: Sequence[str]) -> None:
    """InvalidFilter for a word that nothing can have in that field, ever; an `act` may be a kind of event too."""
    for word in words:
        if field == "is" and word not in _STATES:
            raise InvalidFilter(f"{said!r}: nothing is {word!r}", hint=f"is: knows {', '.join(_STATES)}")
        if field == "act" and not any(word in act for act in Performative):
            close = get_close_matches(word, list(Performative), 1, 0.7)
            if close:
                raise InvalidFilter(
                    f"{said!r}: FIPA has no act {word!r}",
                    hint=f"did you mean {close[0]}?",
                )
