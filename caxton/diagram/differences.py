"""Two conversations side by side: the steps that both have, and those of only one.

In: the messages of both, in their order. Out: one step after the other with where it stands. Times, ids and numbers of
rows are no difference; who says what to whom, and the content, are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from caxton.presentation.json_line import compact
from caxton.presentation.names import receivers, short
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message

Side = Literal["both", "first", "second"]


@dataclass(frozen=True, slots=True)
class Step:
    """What is said in both, or in only one of them."""

    side: Side
    seq: int
    text: str


def steps(first: Sequence[MessageBody], second: Sequence[MessageBody]) -> Iterator[Step]:
    """The steps of both; what changed stands first as it was in the first."""
    for before, after in _parts(first, second):
        yield from before
        yield from (step for step in after if step.side != "both")


def side_by_side(
    first: Sequence[MessageBody], second: Sequence[MessageBody]
) -> Iterator[tuple[Step | None, Step | None]]:
    """The steps of the first, each beside what stands in its place in the second."""
    for before, after in _parts(first, second):
        yield from zip_longest(before, after)


def _parts(
    first: Sequence[MessageBody], second: Sequence[MessageBody]
) -> Iterator[tuple[list[Step], list[Step]]]:
    """Stretches that are the same, and between them what changed into what."""
    texts = [[_said(stored.message) for stored in side] for side in (first, second)]
    for what, a, b, c, d in SequenceMatcher(a=texts[0], b=texts[1], autojunk=False).get_opcodes():
        same = what == "equal"
        before = [Step("both" if same else "first", first[n].seq, texts[0][n]) for n in range(a, b)]
        yield before, [Step("both" if same else "second", second[n].seq, texts[1][n]) for n in range(c, d)]


def _said(message: Message) -> str:
    content = "" if message.content is None else f" {compact(message.content)}"
    return f"{short(message.sender)} {message.performative} → {receivers(message)}{content}"
