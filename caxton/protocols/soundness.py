"""Whether a table makes sense as a machine.

In: its states and steps. Out: nothing, or a refusal that names the line of what is wrong: no beginning, ambiguous
steps, an end that is left, a state that nothing leads to, a state from which no end can be reached.
"""

from __future__ import annotations

from typing import NoReturn, Protocol

from caxton.acl.performative import Performative
from caxton.protocols.protocol import NO_DEADLINE, START, STAY, TIMED_OUT, Role, State, Step
from caxton.protocols.toml_lines import Lines

UNIVERSAL = frozenset({Performative.CANCEL, Performative.NOT_UNDERSTOOD})
"""Acts with one meaning in every protocol, which no table gives another."""


class Refuse(Protocol):
    """Says what is wrong on which line; does not return."""

    def __call__(self, line: int, message: str, hint: str | None = None) -> NoReturn: ...


def check(states: dict[str, State], steps: tuple[Step, ...], lines: Lines, refuse: Refuse) -> None:
    """Refuse a table that is no sound machine."""
    first: dict[tuple[str, Role, str], Step] = {}
    for step in steps:
        if step.act in UNIVERSAL:
            refuse(step.line, f"{step.act} means the same in every protocol", "leave the step out")
        key = (step.source, step.by, step.act.value)
        before = first.setdefault(key, step)
        if before is not step:
            refuse(
                step.line,
                f"ambiguous: {step.by} {step.act} in {step.source!r} stands on line {before.line} already",
                "one act of one side leads to one state",
            )
        if step.source == START and step.by is Role.PARTICIPANT:
            refuse(step.line, "a participant cannot begin", "who begins is the initiator")
        left = states[step.source].end if step.source != START else None
        if left is not None and states[step.to].end is None and not step.reopens:
            refuse(
                step.line,
                f"{step.source!r} is an end, and this step leaves it",
                "an end is final; say reopens = true where the document leaves it on purpose",
            )
    if not any(step.source == START for step in steps):
        refuse(lines.key("table"), "no step begins", 'one step needs from = "start"')
    edges: dict[str, set[str]] = {START: set(), **{name: set() for name in states}}
    for step in steps:
        edges[step.source].add(step.to)
    for state in states.values():
        for target in (state.deadline, state.served):
            if target not in (None, STAY, NO_DEADLINE, TIMED_OUT):
                edges[state.name].add(str(target))
    reached = _closure({START}, edges)
    for name in states:
        if name not in reached:
            refuse(lines.key(name, "states"), f"nothing leads to state {name!r}", "add a step, or remove it")
    backwards: dict[str, set[str]] = {name: set() for name in edges}
    for source, targets in edges.items():
        for target in targets:
            backwards[target].add(source)
    ending = _closure({name for name, state in states.items() if state.end is not None}, backwards)
    for name in states:
        if name not in ending:
            refuse(lines.key(name, "states"), f"no end can be reached from state {name!r}", "add a way out")


def _closure(names: set[str], edges: dict[str, set[str]]) -> set[str]:
    found, waiting = set(names), list(names)
    while waiting:
        for target in edges[waiting.pop()] - found:
            found.add(target)
            waiting.append(target)
    return found
