"""What the operator does about dead letters, each with the command that does the same. No Textual.

In: dead letters, another content. Out: `Action`s.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from caxton import exact_numbers
from caxton.presentation.text import plural
from caxton.schemas.messages import DeadLetterBody, LettersGone
from caxton_tui.actions.action import Action, asked


def redeliver(letters: Sequence[DeadLetterBody]) -> Action:
    """Send them once more, in their order."""
    words = _of(letters)
    return asked(
        f"deliver {words} again",
        f"caxton dead-letter redeliver {_arguments(letters)}",
        lambda client: client.redeliver({"seqs": _seqs(letters)}),
        _delivered,
    )


def edit(letter: DeadLetterBody, content: Any) -> Action:
    """Send one once more with another content."""
    return asked(
        f"deliver {letter.seq} again, changed",
        f"caxton dead-letter edit {letter.seq} --content {shlex.quote(exact_numbers.text(content))}",
        lambda client: client.redeliver({"seqs": [letter.seq], "content": content}),
        _delivered,
    )


def drop(letters: Sequence[DeadLetterBody]) -> Action:
    """Put them away."""
    words = _of(letters)
    return asked(
        f"drop {words}",
        f"caxton dead-letter drop {_arguments(letters)}",
        lambda client: client.drop_dead_letters({"seqs": _seqs(letters)}),
        lambda gone: f"{plural(len(gone.done), 'dead letter')} put away",
        f"Nobody will deliver {words}; what was said stays in the journal.",
    )


def _seqs(letters: Sequence[DeadLetterBody]) -> list[int]:
    return [letter.seq for letter in reversed(letters)]


def _of(letters: Sequence[DeadLetterBody]) -> str:
    return str(letters[0].seq) if len(letters) == 1 else plural(len(letters), "message")


def _arguments(letters: Sequence[DeadLetterBody]) -> str:
    return " ".join(map(str, _seqs(letters)))


def _delivered(gone: LettersGone) -> str:
    if not gone.kept:
        return f"{plural(len(gone.done), 'message')} delivered again"
    kept = gone.kept[0]
    return f"{len(gone.done)} delivered again, {len(gone.kept)} not: {kept.seq}: {kept.reason}"
