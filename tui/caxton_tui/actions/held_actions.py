"""What the operator does about held messages and break points, each with the command that does the same. No Textual.

In: numbers, filters, changes. Out: `Action`s.
"""

from __future__ import annotations

import shlex

from caxton import exact_numbers
from caxton.presentation.text import plural
from caxton.schemas.held import BreakBody, ManyGone
from caxton.schemas.shape import text_of
from caxton_tui.actions.action import Action, asked, options
from caxton_tui.model.json_object import Json


def release(seq: int) -> Action:
    """Let one go on."""
    return asked(
        f"release {seq}",
        f"caxton break release {seq}",
        lambda client: client.release(seq),
        lambda done: f"{seq} went on as {done.went_on}; {done.held} held",
    )


def release_next() -> Action:
    """Let the one go on that was held first."""
    return asked(
        "release the next",
        "caxton break release --next",
        lambda client: client.release_some(following=True),
        _released,
    )


def release_all() -> Action:
    """Let all of them go on."""
    return asked("release all", "caxton break release --all", lambda client: client.release_some(), _released)


def _released(done: ManyGone) -> str:
    return f"{plural(done.messages, 'message')} released; {done.held} held"


def drop(seq: int) -> Action:
    """Drop one: it is not delivered."""
    return asked(
        f"drop {seq}",
        f"caxton break drop {seq}",
        lambda client: client.drop(seq),
        lambda done: f"{seq} is dropped; {done.held} held",
        f"Nobody gets message {seq}, and its sender is told so.",
    )


def approve(seq: int) -> Action:
    """Give a message the yes that it waits for."""
    return asked(
        f"approve {seq}",
        f"caxton approve yes {seq}",
        lambda client: client.approve(seq),
        lambda done: (
            f"{seq} went on as {done.went_on}" if done.went_on else f"{seq} has your yes and waits on"
        ),
        f"Message {seq} goes on as it stands there.",
    )


def refuse(seq: int) -> Action:
    """Say no to it."""
    return asked(
        f"refuse {seq}",
        f"caxton approve no {seq}",
        lambda client: client.refuse(seq),
        lambda done: f"{seq} is refused; {done.waiting} wait for a yes",
        f"Nobody gets message {seq}, and its sender is told that it was refused.",
    )


def delay(seq: int, duration: str) -> Action:
    """Let one go on by itself later."""
    return asked(
        f"delay {seq}",
        f"caxton break delay {seq} {shlex.quote(duration)}",
        lambda client: client.delay(seq, duration),
        lambda done: f"{seq} goes on at {text_of(done.due_at) if done.due_at else 'once'}",
    )


def edit(seq: int, change: Json, *, approval: bool = False) -> Action:
    """Change act, receivers or content."""
    noun = "approve" if approval else "break"
    command = f"caxton {noun} edit {seq}{options(change, {'performative': 'performative', 'receiver': 'to'})}"
    if "content" in change:
        # no content at all is said, too
        command += f" --content {shlex.quote(exact_numbers.text(change['content']))}"
    return asked(
        f"edit {seq}",
        command,
        lambda client: client.edit_approval(seq, change) if approval else client.edit(seq, change),
        lambda _: f"{seq} is changed; it is still held",
    )


def add_break(text: str) -> Action:
    """Hold what a filter means."""
    return asked(
        "hold messages",
        f"caxton break add {shlex.quote(text)}",
        lambda client: client.add_break(text),
        lambda point: f"{point.id} holds {point.filter or 'every message'}",
    )


def remove_break(point: BreakBody) -> Action:
    """Take a break point away; what it holds stays held."""
    id = point.id
    return asked(
        f"take {id} away",
        f"caxton break rm {id}",
        lambda client: client.remove_break(id),
        lambda gone: f"{id} is gone" + (f"; {plural(gone.held, 'message')} stay held" if gone.held else ""),
    )
