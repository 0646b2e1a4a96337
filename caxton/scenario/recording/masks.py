"""What is another value each time: ids that the host gives, and times.

In: messages of a recording. Out: of any value, the same with `{ any = true }` in the place of each of those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from caxton.scenario.contents import ANY, is_list
from caxton.schemas.shape import Message

HOSTS_OWN: Final = re.compile(r"[cd]-[0-9a-f]{12,16}|t-[0-9a-f]{8,32}")
"""How ids look that the host gives to conversations, deployments and tasks."""
_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16}"
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_NEAR_US: Final = 366 * 86_400_000_000


class Masks:
    """What to mask in these messages."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._given: set[str] = set()
        self._at_us = 0
        for one in messages:
            self._given.update((one.id, str(one.json.get("trace_id")), str(one.json.get("span_id"))))

    def near(self, at_us: int) -> None:
        """Whole numbers are times where they mean one within a year of this."""
        self._at_us = at_us

    def masked(self, value: Any) -> Any:
        """The same value without what differs each time."""
        if isinstance(value, Mapping):
            return {name: self.masked(one) for name, one in cast("Mapping[str, Any]", value).items()}
        if is_list(value):
            return [self.masked(one) for one in value]
        if isinstance(value, str):
            return ANY if self._differs(value) else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return ANY if self._is_time(value) else value
        return value

    def _differs(self, text: str) -> bool:
        return text in self._given or differs(text) or _TIME.search(text) is not None

    def _is_time(self, number: float) -> bool:
        return any(abs(number * unit - self._at_us) < _NEAR_US for unit in (1, 1_000, 1_000_000))


def differs(id: str) -> bool:
    """Whether an id has something in it that the host gives."""
    return HOSTS_OWN.search(id) is not None or _ID.search(id) is not None


def has_mask(value: Any) -> bool:
    """Whether something in it is masked."""
    if value == ANY:
        return True
    if isinstance(value, Mapping):
        return any(map(has_mask, cast("Mapping[str, Any]", value).values()))
    return is_list(value) and any(map(has_mask, value))
