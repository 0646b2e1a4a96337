"""Regular expressions that people write, for texts that guests write, in time that grows with the text only.

In: an expression in RE2's syntax, and a text. Out: whether it occurs there, whatever the case. RE2 never backtracks: no
text makes a search take longer than its length times the size of the expression, and that size is bounded here. What
RE2 does not have, references to groups and looking around, is refused when the expression is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

STEPS_MAX: Final = 1_500
"""Instructions of a compiled expression: the worst of that size looks through 4,096 characters in some 0.1 s."""
_MEMORY: Final = 1024 * 1024


class RegularExpression:
    """One expression."""

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        """Raises ValueError, with the reason, for what is none."""
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.never_capture = True
        options.max_mem = _MEMORY
        try:
            compiled = re2.compile(text.encode("utf-8", "surrogatepass"), options)
        except re2.error as error:
            (said,) = error.args
            raise ValueError(said.decode("utf-8", "replace")) from error
        if compiled.programsize > STEPS_MAX:
            raise ValueError(f"it is too large, {compiled.programsize:,} steps of {STEPS_MAX:,}; repeat less")
        self._compiled = compiled

    def occurs_in(self, text: str) -> bool:
        """Whether it matches anywhere."""
        return self._compiled.search(text.encode("utf-8", "replace")) is not None

    def found_in(self, text: str) -> Iterator[str]:
        """Each place where it matches, as it is there."""
        for found in self._compiled.finditer(text.encode("utf-8", "replace")):
            yield found.group().decode("utf-8", "replace")
