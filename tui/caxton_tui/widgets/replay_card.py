"""What the gate found about a build: figures in a line, and turn by turn what it would answer otherwise.

In: the `gate` of a deployment as the API gives it. Out: text. No Textual in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from rich.text import Text

from caxton.presentation.replays import asking_line, difference_lines, totals_line, turn_words
from caxton.presentation.text import plural, safe
from caxton.schemas.deployments import DeploymentBody, GateBody

_VALUE: Final = 300
"""Characters of a value that differs."""
_STYLES: Final = {"changed": "yellow", "illegal": "bold red", "trapped": "bold red"}
_SIGNS: Final = {"changed": "≠", "illegal": "✗", "trapped": "✗"}


def found(one: DeploymentBody) -> str:
    """In a few characters what the gate found: `= 18`, `≠ 2 of 20`, `✗ 1 of 20`; `-` where it was not asked."""
    gate = one.gate
    if gate is None:
        return "-"
    totals = gate.totals
    bad = totals.illegal + totals.trapped
    if bad or totals.changed:
        return f"{'✗' if bad else '≠'} {bad or totals.changed} of {totals.turns}"
    return f"= {totals.same}"


def found_style(one: DeploymentBody) -> str:
    """How that is painted in a list."""
    gate = one.gate
    if gate is None:
        return "listing--dim"
    totals = gate.totals
    if gate.stopped or totals.illegal or totals.trapped:
        return "listing--bad"
    return "listing--warn" if totals.changed else "listing--good"


def gate_lines(one: DeploymentBody, key: Callable[[str], str]) -> Iterator[tuple[str, str, str]]:
    """The gate's findings as a name, what it says, its style; what to do about a build that waits."""
    gate = one.gate
    if gate is None:
        return
    totals = gate.totals
    style = "bold yellow" if one.waits else "bold red" if gate.stopped else ""
    sign = "◷" if one.waits else "✗" if gate.stopped else "●"
    if gate.stopped:
        yield "gate", f"{sign} stopped: {safe(gate.reason)}", style
    else:
        yield "gate", f"{sign} passed", style
    late = ", the time was over" if gate.timed_out else ""
    of = f"{plural(totals.turns, 'turn')} of {plural(gate.conversations, 'conversation')}"
    yield "replay", totals_line(totals), "yellow" if totals.changed else ""
    yield "", f"{of}, {gate.elapsed_ms:.0f} ms{late}", "dim"
    if gate.asking:
        yield "", asking_line(gate), "dim"
    if one.waits:
        accept, drop, differs = (key(f"changes.{do}") for do in ("accept", "drop", "difference"))
        yield "waits", f"{accept} accepts it, {drop} drops it, {differs} shows what differs", "bold yellow"
        if totals.asks > totals.live:
            yield "", f"{key('changes.live')} asks models and tools what it asks anew", "bold yellow"


def difference(gate: GateBody, most: int | None = None) -> Text:
    """What the build would answer otherwise, conversation by conversation and turn by turn; the first `most` turns."""
    text = Text()
    turns = gate.turns
    talk = ""
    for turn in turns[:most]:
        if turn.conversation_id != talk:
            talk = turn.conversation_id
            pinned = "  ⚑ pinned" if talk in gate.pinned else ""
            text.append(f"{safe(talk)}{pinned}\n", "bold")
        number, agent, act, verdict, *figures = turn_words(turn)
        style = _STYLES.get(turn.verdict, "")
        text.append(f" {_SIGNS.get(turn.verdict, '·')} {verdict}", style)
        text.append(f"  {number} {agent}: {act}")
        text.append(f"  {', '.join(figures)}\n", "dim")
        for line in difference_lines(turn, _VALUE):
            text.append(f"     {line}\n", style)
    left = _differing(gate) - len(turns[:most])
    if left > 0:
        text.append(f"and {plural(left, 'turn')} more", "dim")
    return text


def _differing(gate: GateBody) -> int:
    totals = gate.totals
    return int(totals.changed + totals.illegal + totals.trapped)
