"""What the operator does about held messages and break points, each with the command that does the same. No Textual.

In: numbers, filters, changes. Out: `Action`s.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from caxton.client import AsyncClient
from caxton.presentation.text import plural
from caxton.schemas.held import BreakBody
from caxton_tui.actions.action import Action

Json = Mapping[str, Any]


def release(seq: int) -> Action:
    """Let one go on."""

    async def run(client: AsyncClient) -> str:
        done = await client.release(seq)
        return f"{seq} went on as {done.went_on}; {done.held} held"

    return Action(f"release {seq}", f"caxton break release {seq}", run)


def release_next() -> Action:
    """Let the one go on that was held first."""

    async def run(client: AsyncClient) -> str:
        done = await client.release_some(following=True)
        return f"{plural(done.messages, 'message')} released; {done.held} held"

    return Action("release the next", "caxton break release --next", run)


def release_all() -> Action:
    """Let all of them go on."""

    async def run(client: AsyncClient) -> str:
        done = await client.release_some()
        return f"{plural(done.messages, 'message')} released; {done.held} held"

    return Action("release all", "caxton break release --all", run)


def drop(seq: int) -> Action:
    """Bring one to nobody."""

    async def run(client: AsyncClient) -> str:
        done = await client.drop(seq)
        return f"{seq} is dropped; {done.held} held"

    question = f"Nobody gets message {seq}, and its sender is told so."
    return Action(f"drop {seq}", f"caxton break drop {seq}", run, question)


def delay(seq: int, duration: str) -> Action:
    """Let one go on by itself later."""

    async def run(client: AsyncClient) -> str:
        done = await client.delay(seq, duration)
        return f"{seq} goes on at {done.due_at}"

    return Action(f"delay {seq}", f"caxton break delay {seq} {shlex.quote(duration)}", run)


def edit(seq: int, change: Json) -> Action:
    """Change act, receivers or content."""

    async def run(client: AsyncClient) -> str:
        await client.edit(seq, change)
        return f"{seq} is changed; it is still held"

    parts = [f"caxton break edit {seq}"]
    if "performative" in change:
        parts.append(f"--performative {shlex.quote(str(change['performative']))}")
    if "receiver" in change:
        parts.append(f"--to {shlex.quote(','.join(change['receiver']))}")
    if "content" in change:
        parts.append(f"--content {shlex.quote(json.dumps(change['content'], ensure_ascii=False))}")
    return Action(f"edit {seq}", " ".join(parts), run)


def add_break(text: str) -> Action:
    """Hold what a filter means."""

    async def run(client: AsyncClient) -> str:
        point = await client.add_break(text)
        return f"{point.id} holds {point.filter or 'every message'}"

    return Action("hold messages", f"caxton break add {shlex.quote(text)}", run)


def remove_break(point: BreakBody) -> Action:
    """Take a break point away; what it holds stays held."""
    id = str(point.id)

    async def run(client: AsyncClient) -> str:
        gone = await client.remove_break(id)
        return f"{id} is gone" + (f"; {plural(gone.held, 'message')} stay held" if gone.held else "")

    return Action(f"take {id} away", f"caxton break rm {id}", run)
