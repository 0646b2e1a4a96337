"""The lines of a diagram, before anybody knows how wide it is: messages, what happened between them, folded loops.

In: a `Timeline`, and the time it is. Out: `Line`s in their order. A loop is the same messages between the same agents
at least `REPEATS` times in a row; its middle is one line that says how often, unless it is asked for open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from caxton.diagram.timeline import Timeline, TimelineMessage, TimelineVerdict
from caxton.protocols.clock_pause import joined
from caxton.protocols.conversation import NEVER

REPEATS: Final = 4
"""A loop is folded from this many repetitions on."""
LONGEST_LOOP: Final = 8
"""Messages of a loop that is recognised."""


class Mark(StrEnum):
    """What a line is."""

    MESSAGE = "message"
    VIOLATION = "violation"
    JUDGED = "judged"
    DEAD_LETTER = "dead letter"
    FAILED_TURN = "failed turn"
    DEADLINE = "deadline"
    REVISION = "revision"
    LOOP = "loop"
    HELD = "held"
    END = "end"


SIGNS: Final = {
    Mark.VIOLATION: ("✗", "bad"),
    Mark.JUDGED: ("·", "dim"),
    Mark.DEAD_LETTER: ("✗", "bad"),
    Mark.FAILED_TURN: ("✗", "bad"),
    Mark.DEADLINE: ("◷", "warn"),
    Mark.REVISION: ("◆", "name"),
    Mark.LOOP: ("↻", "dim"),
    Mark.END: ("■", "name"),
}
"""The sign of a line that is no message, and its style."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `spoken` is its message, or for what is no message the one that it belongs to."""

    mark: Mark
    spoken: TimelineMessage | None
    text: str = ""
    """What a line that is no message says."""
    lane: str = ""
    """Whom it is about, where it is about one."""

    @property
    def problem(self) -> bool:
        """Whether it shows that something went wrong."""
        if self.mark is Mark.MESSAGE:
            return self.spoken is not None and self.spoken.problem
        return self.mark in (Mark.VIOLATION, Mark.DEAD_LETTER, Mark.FAILED_TURN, Mark.DEADLINE)


def lines_of(timeline: Timeline, now_us: int = 0, unfolded: Collection[int] = ()) -> list[Line]:
    """The timeline's lines; `now_us` ends deadlines that nothing follows, `unfolded`: first numbers of open loops."""
    lines: list[Line] = []
    builds: dict[str, str] = {}
    late = sorted(_missed(timeline, now_us), key=lambda found: found[0])
    for chunk in _folded(timeline.spoken, unfolded):
        if isinstance(chunk, str):
            lines.append(Line(Mark.LOOP, lines[-1].spoken, chunk))
            continue
        while late and late[0][0] < chunk.at_us:
            lines.append(late.pop(0)[1])
        _tell(lines, chunk, builds)
    lines += [line for _, line in late]
    lines += [Line(Mark.HELD, held) for held in timeline.held]
    if timeline.state not in ("", "Initiated", "InProgress"):
        last = timeline.spoken[-1] if timeline.spoken else None
        how = f": {timeline.outcome}" if timeline.outcome and timeline.outcome != timeline.state else ""
        lines.append(Line(Mark.END, last, f"{timeline.state}{how}"))
    return lines


def _tell(lines: list[Line], spoken: TimelineMessage, builds: dict[str, str]) -> None:
    """A message, and under it what became of it."""
    lines.append(Line(Mark.MESSAGE, spoken))
    if spoken.judged is not None:
        mark = Mark.VIOLATION if spoken.judged.violation else Mark.JUDGED
        lines.append(Line(mark, spoken, verdict(spoken.act, spoken.judged)))
    lines.extend(Line(Mark.DEAD_LETTER, spoken, letter) for letter in spoken.letters)
    for turn in spoken.turns:
        if turn.failed:
            lines.append(
                Line(Mark.FAILED_TURN, spoken, f"{turn.agent}: the turn ended with {turn.ended}", turn.agent)
            )
        before = builds.get(turn.agent)
        if turn.revision and before and before != turn.revision:
            text = f"{turn.agent}: revision {before} → {turn.revision}"
            lines.append(Line(Mark.REVISION, spoken, text, turn.agent))
        if turn.revision:
            builds[turn.agent] = turn.revision


def verdict(act: str, judged: TimelineVerdict) -> str:
    """What the referee said, in one sentence."""
    state = f" in {judged.state}" if judged.state else ""
    if not judged.violation:
        return f"{act}{state}: {judged.sentence or judged.rule}"
    kept = "" if judged.delivered else ", not delivered"
    legal = ", ".join(judged.legal) or "nothing"
    return f"{act}{state}; legal here: {legal} ({judged.sentence or judged.rule}{kept})"


def _missed(timeline: Timeline, now_us: int) -> list[tuple[int, Line]]:
    """The deadlines that went by before everybody had answered."""
    heard: dict[int, dict[str, int]] = {}
    for spoken in timeline.spoken:
        if spoken.answers is not None:
            heard.setdefault(spoken.answers, {}).setdefault(spoken.sender, spoken.at_us)
    last_us = max(now_us, timeline.spoken[-1].at_us if timeline.spoken else 0)
    stops = joined(
        [(one.at_us - one.held_us, one.at_us) for one in timeline.spoken if one.held_us]
        + [(one.at_us, NEVER) for one in timeline.held]
    )
    found: list[tuple[int, Line]] = []
    for spoken in timeline.spoken:
        by = spoken.reply_by_us
        if by is None:
            continue
        for since_us, until_us in stops:
            # while something was held the clock stood still
            since_us = max(since_us, spoken.at_us)
            if since_us <= by and until_us > since_us:
                by += until_us - since_us
        if by >= last_us:
            continue
        came = heard.get(spoken.number, {})
        silent = [name for name in spoken.receivers if came.get(name, by + 1) > by]
        if silent:
            text = f"reply-by of {spoken.number} passed without {', '.join(silent)}"
            found.append((by, Line(Mark.DEADLINE, spoken, text)))
    return found


def _folded(spoken: Sequence[TimelineMessage], unfolded: Collection[int]) -> list[TimelineMessage | str]:
    """The messages, with the middles of loops as sentences."""
    keys = [
        (one.sender, one.receivers, one.act, one.number if one.problem and one.act != "refuse" else 0)
        for one in spoken
    ]
    out: list[TimelineMessage | str] = []
    at = 0
    while at < len(spoken):
        length, times = _loop(keys, at)
        if times < REPEATS or spoken[at].number in unfolded:
            # of a loop that is open the rest must not fold again
            step = length * times if times >= REPEATS else 1
            out.extend(spoken[at : at + step])
            at += step
            continue
        end = at + length * times
        first, last = spoken[at + length].number, spoken[end - length - 1].number
        what = "message" if length == 1 else f"{length} messages"
        out.extend(spoken[at : at + length])
        out.append(f"{first} to {last}: the same {what} {times - 2} times more")
        out.extend(spoken[end - length : end])
        at = end
    return out


def _loop(keys: Sequence[object], at: int) -> tuple[int, int]:
    """The loop that begins there: how many messages it has and how often it runs; of several that hide most."""
    best = (1, 1)
    for length in range(1, LONGEST_LOOP + 1):
        times = 1
        while keys[at : at + length] == keys[at + times * length : at + (times + 1) * length]:
            if at + (times + 1) * length > len(keys):
                break
            times += 1
        if times >= REPEATS and length * (times - 2) > best[0] * (best[1] - 2):
            best = (length, times)
    return best
