"""What a snapshot has of open calls: the messages of their steps, and the state that each step saw.

In: steps as they are taken. Out: a snapshot in JSON; and from one the same steps again, one after the other.
"""

# mypy: ignore-errors
# pyright: basic

import base64
import zlib
from collections import deque
from typing import Any, ClassVar

from caxton_numbers import decode, encode, freeze, thaw
from caxton_turn import check
from caxton_waits import Calls, Json

KEY = "~calls"
"""Where a snapshot has the open calls."""


class History:
    """What the state was at each step of an open call: a beginning, and what was changed since, key by key."""

    base: ClassVar[dict[str, bytes]] = {}
    last: ClassVar[dict[str, bytes]] = {}
    changes: ClassVar[deque[tuple[int, list[str], dict[str, bytes]]]] = deque()

    @classmethod
    def note(cls, number: int, state: Json, oldest: int) -> None:
        """That is what the step of that number saw; none before `oldest` is needed any more."""
        seen = _dumped(state)
        gone = [key for key in cls.last if key not in seen]
        changed = {key: value for key, value in seen.items() if cls.last.get(key) != value}
        order = [key for key in cls.last if key in seen] + [key for key in seen if key not in cls.last]
        if order != list(seen):
            gone, changed = list(cls.last), seen
        cls.last = seen
        cls.changes.append((number, gone, changed))
        while cls.changes and cls.changes[0][0] <= oldest:
            apply(cls.base, *cls.changes.popleft()[1:])

    @classmethod
    def forget(cls) -> None:
        """No call is open."""
        cls.base, cls.last, cls.changes = {}, {}, deque()

    @classmethod
    def restore(cls, base: Json, changes: list[Any]) -> None:
        """It is as it was kept."""
        cls.forget()
        cls.base = _dumped(base)
        cls.last = dict(cls.base)
        for number, gone, changed in changes:
            cls.changes.append((number, gone, _dumped(changed)))
            apply(cls.last, *cls.changes[-1][1:])


class Feed:
    """The steps of a restored agent's open calls, while they are told once more."""

    left: ClassVar[deque[list[Any]]] = deque()
    on = False
    number = 0
    """The step that is told now."""
    why = ""
    """What has ended a call, if anything has."""
    begun = b""
    """The state that the source begins with."""
    saved: ClassVar[Json] = {}
    view: ClassVar[Json] = {}
    changes: ClassVar[deque[Any]] = deque()

    @classmethod
    def begin(cls, saved: Json) -> None:
        """That was kept, over the state that the source begins with."""
        cls.saved, cls.on, cls.begun = saved, True, marshalled()
        cls.view, cls.changes = dict(saved["base"]), deque(saved["changes"])
        steps = [[*step, name, asked] for name, asked, told in saved["calls"] for step in told]
        cls.left = deque(sorted(steps, key=lambda step: step[0]))

    @classmethod
    def next(cls) -> list[Any]:
        """The next step, with the state as it was before it."""
        step = cls.left.popleft()
        cls.number, cls.why = step[0], ""
        while cls.changes and cls.changes[0][0] <= cls.number:
            apply(cls.view, *cls.changes.popleft()[1:])
        cls._see(cls.view)
        return step

    @classmethod
    def end(cls, why: str) -> None:
        """A call has come to an end in this step, for that reason."""
        cls.why = why

    @classmethod
    def told(cls) -> None:
        """The step is over."""
        cls.number = 0

    @classmethod
    def over(cls) -> None:
        """All steps are told: the agent is as it was."""
        saved, cls.saved, cls.on, cls.view = cls.saved, {}, False, {}
        History.restore(saved["base"], saved["changes"])
        cls._see(saved["state"])

    @classmethod
    def _see(cls, view: Json) -> None:
        state = Calls.space["state"]
        state.clear()
        state.update(thaw(cls.begun))
        state.update(thaw(freeze(view)))


def packed(state: Any) -> Json:
    """The state, together with the calls that are open."""

    def plain(values: dict[str, bytes]) -> Json:
        made = {key: thaw(value) for key, value in values.items()}
        check(made, "state")
        return made

    past = {
        "calls": [[call.message["id"], call.asked, call.steps] for call in Calls.open.values()],
        "base": plain(History.base),
        "changes": [[number, gone, plain(changed)] for number, gone, changed in History.changes],
    }
    return {KEY: base64.b64encode(zlib.compress(encode(past).encode(), 1)).decode(), "state": state}


def unpack(saved: Json) -> None:
    """A state with open calls: their steps are to be told from here on."""
    past = decode(zlib.decompress(base64.b64decode(saved[KEY])).decode())
    Feed.begin({**past, "state": saved["state"]})


def again() -> str:
    """The message of the next step that is to be told; empty where there is none, and the agent is as it was."""
    if Feed.left:
        return Feed.left[0][1]
    if Feed.on:
        Feed.over()
    return ""


def apply(view: dict[str, Any], gone: list[str], changed: dict[str, Any]) -> None:
    """Change a state as it was changed then."""
    for key in gone:
        view.pop(key, None)
    view.update(changed)


def _dumped(values: Json) -> dict[str, bytes]:
    return {key: freeze(value, 2) for key, value in values.items()}


def marshalled() -> bytes:
    """The state as it is; TypeError where it holds what no state may hold."""
    try:
        return freeze(Calls.space["state"])
    except ValueError:
        check(Calls.space["state"], "state")
        raise


def back_to(before: bytes) -> None:
    """Let the state be as it was then, in objects of its own."""
    state = Calls.space["state"]
    state.clear()
    state.update(thaw(before))
