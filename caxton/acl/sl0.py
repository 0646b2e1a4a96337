"""FIPA SL0, the smallest content language of FIPA (FIPA00008, annex), as agent management uses it.

    ((action (agent-identifier :name df@local) (search (df-agent-description :languages (set fipa-sl0)))))

In: the content of a message. Out: its expressions as plain values, or `InvalidMessage` with line, column and what was
expected there; and back, so that reading what was written gives the same. A term has arguments or named parameters,
never both. Variables (`?x`) and `=` are read as words, so that the referential expressions of subscriptions pass.
Nesting is bounded, time is linear.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from caxton import exact_numbers
from caxton.acl.fipa_tokens import Kind, Token, Tokens, json_number, string, word_or_string

DEPTH: Final = 32
"""The most brackets that may be open at once."""
_BEGINNINGS: Final = frozenset({Kind.WORD, Kind.STRING, Kind.DATE_TIME, Kind.NUMBER, Kind.OPEN})


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: a constant, a proposition such as `unauthorised`, or a variable."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date-time as FIPA writes it: `20260131T120000000Z`, or from now `+00000000T000005000`."""

    token: str


@dataclass(frozen=True, slots=True)
class Term:
    """A symbol with arguments, or with named parameters: `(set a b)`, `(property :name a :value 1)`."""

    symbol: str
    arguments: tuple[Expression, ...] = ()
    parameters: tuple[tuple[str, Expression], ...] = ()

    def named(self, symbol: str) -> bool:
        """Whether that is its symbol; case makes no difference."""
        return self.symbol.lower() == symbol


Expression = Word | Moment | Term | str | int | float
"""A plain `str` is a quoted string."""


def read_sl0(text: str) -> tuple[Expression, ...]:
    """The expressions of a content: `((action …))`, or one without the outer brackets.

    Raises InvalidMessage.
    """
    tokens = Tokens(text.encode())
    first = tokens.take()
    if first.kind is not Kind.OPEN:
        tokens.refuse(first.at, "( and an expression")
    second = tokens.take()
    found: list[Expression] = []
    if second.kind is Kind.WORD:
        # the older documents leave the outer brackets out; they count all the same, for they will be written
        found.append(_term(tokens, second, 2))
    else:
        token = second
        while token.kind is not Kind.CLOSE:
            found.append(_expression(tokens, token, 1))
            token = tokens.take()
        if not found:
            tokens.refuse(token.at, "an expression")
    after = tokens.take()
    if after.kind is not Kind.END:
        tokens.refuse(after.at, "nothing after the content")
    return tuple(found)


def write_sl0(content: Iterable[Expression]) -> str:
    """The content as text, within its outer brackets."""
    return f"({' '.join(map(_text, content))})"


def word_or_text(text: str) -> Expression:
    """The text as a word where it is read as one, else as a string."""
    return Word(text) if word_or_string(text) == text else text


def _expression(tokens: Tokens, token: Token, depth: int) -> Expression:
    if token.kind not in _BEGINNINGS:
        tokens.refuse(token.at, "a word, a string, a number, a date-time or (")
    if token.kind is Kind.OPEN and depth >= DEPTH:
        tokens.refuse(token.at, f"at most {DEPTH} brackets open at once", "another one")
    match token.kind:
        case Kind.WORD:
            return Word(token.text)
        case Kind.STRING:
            return token.text
        case Kind.DATE_TIME:
            return Moment(token.text)
        case Kind.NUMBER:
            return _number(tokens, token)
        case _:
            symbol = tokens.take()
            if symbol.kind is not Kind.WORD:
                tokens.refuse(symbol.at, "a symbol such as set, action or df-agent-description")
            return _term(tokens, symbol, depth + 1)


def _term(tokens: Tokens, symbol: Token, depth: int) -> Term:
    """What stands behind a symbol, up to its closing bracket."""
    arguments: list[Expression] = []
    parameters: dict[str, tuple[str, Expression]] = {}
    while (token := tokens.take()).kind is not Kind.CLOSE:
        if token.kind is Kind.PARAMETER:
            if arguments:
                tokens.refuse(token.at, "an argument or ); a term has arguments or parameters, not both")
            name = token.text[1:]
            if not name:
                tokens.refuse(token.at, "the name of a parameter behind the :")
            if name.lower() in parameters:
                tokens.refuse(token.at, "each parameter once", f":{name[:40]} again")
            parameters[name.lower()] = (name, _expression(tokens, tokens.take(), depth))
        elif parameters:
            tokens.refuse(token.at, "a parameter such as :name, or )")
        else:
            arguments.append(_expression(tokens, token, depth))
    return Term(symbol.text, tuple(arguments), tuple(parameters.values()))


def _number(tokens: Tokens, token: Token) -> int | float:
    digits = json_number(token.text)
    if digits is None:
        tokens.refuse(token.at, "a number that can be held", "one that is too large or too long")
    return exact_numbers.decimal(digits) if set(digits) & {".", "e", "E"} else int(digits)


def _text(expression: Expression) -> str:
    match expression:
        case Word():
            return expression.text
        case Moment():
            return expression.token
        case str():
            return string(expression)
        case int() | float():
            return repr(expression)
        case Term():
            parts = [expression.symbol, *map(_text, expression.arguments)]
            parts += [f":{name} {_text(value)}" for name, value in expression.parameters]
            return f"({' '.join(parts)})"
