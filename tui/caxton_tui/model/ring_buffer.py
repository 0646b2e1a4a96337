"""A bounded row of things in which every place keeps its number after older ones have gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class RingBuffer(Generic[T]):
    """Keeps the last `room` things; `dropped` older ones are gone. Numbers count from the first thing ever added."""

    def __init__(self, room: int) -> None:
        self._kept: deque[T] = deque(maxlen=room)
        self.room = room
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept)

    @property
    def end(self) -> int:
        """The number that the next thing gets."""
        return self.dropped + len(self._kept)

    def add(self, thing: T) -> None:
        """Append; the oldest goes when there is no room."""
        if len(self._kept) == self.room:
            self.dropped += 1
        self._kept.append(thing)

    def drop(self) -> None:
        """Let the oldest go."""
        self._kept.popleft()
        self.dropped += 1

    def at(self, number: int) -> T | None:
        """The thing of that number, None when it is gone or not there yet."""
        place = number - self.dropped
        return self._kept[place] if 0 <= place < len(self._kept) else None
