"""Words, strings, numbers, date-times and brackets of FIPA's string form (FIPA00070), one after the other.

In: UTF-8 bytes from anybody. Out: tokens with their places, or `InvalidMessage` with line, column and what was
expected there. Every byte is looked at once; a quoted string knows one escape, `\\"`, a string of announced length
(`#5"hello`) none.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Final, NamedTuple, NoReturn

from caxton.acl.date_time import is_date_time
from caxton.errors import InvalidMessage

SIZE_MAX: Final = 64 << 20
"""The most bytes that are read at once."""
DIGITS_MAX: Final = 4000

_TOKEN = re.compile(
    rb"[\x00-\x20]*+(?:(?P<open>\()|(?P<close>\))"
    rb'|(?P<string>"(?:[^"\\]++|\\"|\\(?!"))*+")'
    rb'|#(?P<size>[0-9]{1,9})"'
    rb'|(?P<parameter>:[^\x00-\x20()"]*+)'
    rb"|(?P<atom>[^\x00-\x20()]++))"
)
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<whole>[0-9]+)(?P<point>\.(?P<part>[0-9]*))?|\.(?P<rest>[0-9]+))(?P<power>[eE][+-]?[0-9]+)?"
)
_PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.@/:+-]*")
_NEEDS_LENGTH = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


class Kind(StrEnum):
    """What a token is, in the words of an error message."""

    OPEN = "("
    CLOSE = ")"
    WORD = "a word"
    PARAMETER = "a parameter"
    STRING = "a string"
    NUMBER = "a number"
    DATE_TIME = "a date-time"
    END = "the end"


class Token(NamedTuple):
    """One token: what it is, its text without quotes, where it begins and where it ended, in bytes."""

    kind: Kind
    text: str
    at: int
    end: int


class Tokens:
    """The tokens of some bytes, one at a time; `last` is the newest."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.last = Token(Kind.END, "", 0, 0)
        self._next = 0
        if len(data) > SIZE_MAX:
            self.refuse(0, f"at most {SIZE_MAX:,} bytes", f"{len(data):,}")
        try:
            data.decode()
        except UnicodeDecodeError as error:
            self.refuse(error.start, "UTF-8", f"byte {data[error.start]:#04x}")

    def take(self) -> Token:
        """The next token; END for ever after the last one."""
        data = self.data
        found = _TOKEN.match(data, self._next)
        if found is None:
            self.last = Token(Kind.END, "", len(data), len(data))
            return self.last
        self._next = found.end()
        group = str(found.lastgroup)
        at, end = found.span(group)
        match group:
            case "open":
                self.last = Token(Kind.OPEN, "(", at, end)
            case "close":
                self.last = Token(Kind.CLOSE, ")", at, end)
            case "string":
                text = data[at + 1 : end - 1].replace(b'\\"', b'"').decode()
                self.last = Token(Kind.STRING, text, at, end)
            case "parameter":
                self.last = Token(Kind.PARAMETER, data[at:end].decode(), at, end)
            case "size":
                self.last = self._of_length(int(found["size"]), at - 1, found.end())
            case _:
                self.last = self._atom(data[at:end].decode(), at, end)
        return self.last

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, in characters from 1, of that byte."""
        before = self.data[:at]
        return before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1

    def refuse(self, at: int, expected: str, found: str | None = None, hint: str | None = None) -> NoReturn:
        """Raise InvalidMessage: what was expected at that byte, and what stood there instead."""
        line, column = self.place(at)
        if found is None:
            text = self.data[at : at + 60].decode(errors="ignore").split("\n")[0][:30]
            found = repr(text) if text else "the end"
        raise InvalidMessage(
            f"line {line} column {column}: expected {expected}, found {found}",
            hint=hint,
            line=line,
            column=column,
            expected=expected,
        )

    def _of_length(self, size: int, at: int, begin: int) -> Token:
        end = begin + size
        if end > len(self.data):
            self.refuse(at, f"{size} bytes of a string", f"{len(self.data) - begin}")
        self._next = end
        try:
            return Token(Kind.STRING, self.data[begin:end].decode(), at, end)
        except UnicodeDecodeError:
            self.refuse(at, "a string of whole characters in UTF-8", "bytes that are none")

    def _atom(self, text: str, at: int, end: int) -> Token:
        first = text[0]
        if first == '"':
            self.refuse(at, 'a string that ends with "', "none that does", 'a " inside is written \\"')
        if first == "#":
            self.refuse(at, 'a string of announced length such as #5"hello', None)
        if first in "0123456789+-.":
            if is_date_time(text):
                return Token(Kind.DATE_TIME, text, at, end)
            if _NUMBER.fullmatch(text):
                return Token(Kind.NUMBER, text, at, end)
        if first in "0123456789-@":
            self.refuse(at, "a word, a string, a number or a date-time", None, f'quote it: "{text[:30]}"')
        return Token(Kind.WORD, text, at, end)


def json_number(text: str) -> str | None:
    """A number token as JSON, its digits as they are; None where JSON has no such number."""
    found = _NUMBER.fullmatch(text)
    if found is None or len(text) > DIGITS_MAX:
        return None
    if (found["point"] or found["rest"] or found["power"]) and not math.isfinite(float(text)):
        return None
    whole = (found["whole"] or "").lstrip("0") or "0"
    part = found["rest"] or found["part"] or ("0" if found["point"] else "")
    sign = "-" if found["sign"] == "-" else ""
    return f"{sign}{whole}{'.' + part if part else ''}{found['power'] or ''}"


def word_or_string(text: str) -> str:
    """The text as a word where every reader takes it as one, else as a string."""
    return text if _PLAIN_WORD.fullmatch(text) else string(text)


def string(text: str) -> str:
    """The text as a quoted string, or of announced length where quotes cannot hold it."""
    if text.endswith("\\") or _NEEDS_LENGTH.search(text):
        return f'#{len(text.encode())}"{text}'
    return '"' + text.replace('"', '\\"') + '"'
