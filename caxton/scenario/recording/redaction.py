"""Values that must not leave: each is replaced by the same stand-in wherever it occurs.

In: what is not to leave, as a path into contents (`customer.email`, `*` for every member) or as `~` and a regular
expression. Out: messages and texts without it. Strings become `redacted-1`, `redacted-2` and so on, numbers at a path
1, 2 and so on; what was equal stays equal, so that agents that compare still do what they did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from caxton.errors import ConfigurationError
from caxton.finding.regular_expression import RegularExpression
from caxton.scenario.contents import is_list


class Redaction:
    """What is replaced, and by what so far."""

    def __init__(self, wanted: Sequence[str]) -> None:
        """Raises ConfigurationError, InvalidFilter for what is neither a path nor a regular expression."""
        self._paths = [one.split(".") for one in wanted if not one.startswith("~")]
        self._patterns = [RegularExpression(one[1:]) for one in wanted if one.startswith("~")]
        for one in wanted:
            if not one.strip("~.* "):
                raise ConfigurationError(
                    f"--redact {one!r} means everything or nothing",
                    hint="a path into contents, such as customer.email, or ~ and a regular expression",
                )
        self._stand_ins: dict[str | int | float, str | int] = {}

    @property
    def on(self) -> bool:
        """Whether anything is to be replaced."""
        return bool(self._paths or self._patterns)

    @property
    def count(self) -> int:
        """How many different values were found so far."""
        return len(self._stand_ins)

    def learn(self, content: Any) -> None:
        """Find the values that must not leave in one content, before anything is written."""
        for path in self._paths:
            _each(content, path, self._name)
        _strings(content, self._match)

    def content(self, value: Any) -> Any:
        """The same content with stand-ins."""
        return self._without(value, self._paths)

    def elsewhere(self, value: Any) -> Any:
        """The same value, which is no content, with stand-ins."""
        return self._without(value, [])

    def _without(self, value: Any, paths: Sequence[Sequence[str]]) -> Any:
        if isinstance(value, Mapping):
            members = cast("Mapping[str, Any]", value).items()
            return {self.text(name): self._without(one, _inside(paths, name)) for name, one in members}
        if is_list(value):
            items = enumerate(value)
            return [self._without(one, [*paths, *_inside(paths, str(number))]) for number, one in items]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and any(not path for path in paths):
            return self._stand_ins.get(value, value)
        return value

    def text(self, text: str) -> str:
        """A text with stand-ins, where a value stands by itself: `pen` is no part of `spent`."""
        found = [one for one in self._stand_ins if isinstance(one, str) and one in text]
        if not found:
            return text
        # longer ones first, as one may be part of another
        words = "|".join(re.escape(one) for one in sorted(found, key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda one: str(self._stand_ins[one[0]]), text)

    def is_in(self, data: bytes) -> bool:
        """Whether a state of an agent has one of them as text."""
        return any(isinstance(one, str) and one.encode() in data for one in self._stand_ins)

    def _match(self, text: str) -> None:
        for pattern in self._patterns:
            for one in pattern.found_in(text):
                self._name(one)

    def _name(self, value: Any) -> None:
        if (
            isinstance(value, bool)
            or not isinstance(value, str | int | float)
            or value in ("", *self._stand_ins)
        ):
            return
        number = len(self._stand_ins) + 1
        self._stand_ins[value] = f"redacted-{number}" if isinstance(value, str) else number


def _each(value: Any, path: Sequence[str], tell: Callable[[Any], None]) -> None:
    """Every scalar at a path and below it."""
    if isinstance(value, Mapping):
        for name, one in cast("Mapping[str, Any]", value).items():
            if not path or path[0] in ("*", name):
                _each(one, path[1:], tell)
    elif is_list(value):
        for number, one in enumerate(value):
            # a path may leave out places in lists
            named = path and path[0] in ("*", str(number))
            _each(one, path[1:] if named else path, tell)
    elif not path:
        tell(value)


def _inside(paths: Sequence[Sequence[str]], name: str) -> list[Sequence[str]]:
    """What is left of paths in a member; one that has ended means everything below."""
    return [path[1:] for path in paths if not path or path[0] in ("*", name)]


def _strings(value: Any, tell: Callable[[str], None]) -> None:
    if isinstance(value, Mapping):
        for one in cast("Mapping[str, Any]", value).values():
            _strings(one, tell)
    elif is_list(value):
        for one in value:
            _strings(one, tell)
    elif isinstance(value, str):
        tell(value)
