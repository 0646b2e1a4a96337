"""What came of a scenario.

In: how it was played. Out: a `Result` that a person reads, and a machine as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from caxton.errors import Exit
from caxton.scenario.baseline import Baseline
from caxton.scenario.coverage import Exercised
from caxton.scenario.expectation import Difference
from caxton.simulation.orders import Decided


class Verdict(StrEnum):
    """How a scenario ended."""

    PASSED = "passed"
    FAILED = "failed"
    """An expectation was not met."""
    VIOLATED = "violated"
    """A message broke its protocol, and nobody expected that."""
    LIMIT = "limit"
    TIMED_OUT = "timed-out"
    """What was waited for did not come."""
    BROKEN = "broken"
    """It could not be played."""


EXITS: Final = {
    Verdict.PASSED: Exit.OK,
    Verdict.FAILED: Exit.EXPECTATION,
    Verdict.VIOLATED: Exit.PROTOCOL,
    Verdict.LIMIT: Exit.LIMIT,
    Verdict.TIMED_OUT: Exit.TIMED_OUT,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario with one seed. `step` counts from 0; `took_s` is real time, `virtual_s` what passed in the run."""

    path: Path
    name: str
    seed: int
    verdict: Verdict
    exit: Exit
    took_s: float
    virtual_s: float = 0.0
    messages: int = 0
    digest: str = ""
    step: int | None = None
    line: int | None = None
    what: str = ""
    """One sentence: what the step was to do, or what kept it from being played."""
    hint: str | None = None
    difference: Difference | None = None
    diagram: str = ""
    choices: int = 0
    """How often chance has decided whose turn is next."""
    used: Baseline | None = None
    """What the agents have used, where that was to be measured."""
    exercised: Exercised | None = None
    """What it has exercised, where that was to be looked at."""
    decided: Sequence[Decided] = ()
    """What makes the order another than the plainest, where somebody looks for orders."""

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return self.verdict is Verdict.PASSED

    def json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        unlike = self.difference
        return {
            "file": str(self.path),
            "name": self.name,
            "seed": self.seed,
            "verdict": self.verdict.value,
            "exit": int(self.exit),
            "took_s": round(self.took_s, 3),
            "virtual_s": round(self.virtual_s, 6),
            "messages": self.messages,
            "journal": self.digest or None,
            "step": None if self.step is None else self.step + 1,
            "line": self.line,
            "what": self.what or None,
            "hint": self.hint,
            "difference": None
            if unlike is None
            else {
                "what": unlike.what,
                "expected": unlike.expected,
                "got": unlike.got,
                "seq": unlike.seq,
                "conversation_id": unlike.conversation,
            },
            "diagram": self.diagram or None,
        }

    def lines(self) -> list[str]:
        """What a person reads of one that did not pass."""
        if self.passed:
            return []
        where = f"{self.path}:{self.line}" if self.line else str(self.path)
        step = f"step {self.step + 1}: " if self.step is not None else ""
        return [f"{where}: {step}{self.what}", *lines_of(self.difference, self.diagram)]


def lines_of(unlike: Difference | None, diagram: str) -> list[str]:
    """What is not as expected, and the diagram."""
    lines: list[str] = []
    if unlike is not None:
        lines += [f"  {unlike.what}", f"    expected  {unlike.expected}", f"    got       {unlike.got}"]
    if diagram:
        lines += ["", *(f"  {line}".rstrip() for line in diagram.splitlines())]
    return lines
