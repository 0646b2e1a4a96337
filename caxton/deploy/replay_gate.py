"""The gate of a deployment: what a build says to the conversations that the agent already had, before it is taken in.

In: a build, how strict the gate is, the pinned and the newest conversations. Out: a verdict with what differs. A build
that is stopped waits for an operator, who promotes or aborts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from caxton.agents import AgentRecord
from caxton.deploy.target import Target
from caxton.journal import Reader
from caxton.replay import Replayer, Report, Totals, TurnReport
from caxton.replay.report import CHANGED, NOT_RUN, TRAPPED

MODES: Final = ("check", "replay")
KEPT: Final = 50
"""Turns that differ and are written down with a deployment."""
SUPERSEDED: Final = "a newer build came before it was decided"
DROPPED: Final = "the operator dropped it"


class ReplayGate(msgspec.Struct, frozen=True, kw_only=True):
    """How strict: `check` stops a build that fails or breaks a protocol, `replay` also one that changes an answer in a
    pinned conversation, or that could not be tried on one. The pinned ones are tried first, then the `last` ones, for
    `timeout_s` of processor time at the most."""

    mode: str
    last: int = 20
    timeout_s: float = 2.0


class GateVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate found. `reason` says why the build was stopped."""

    mode: str
    stopped: bool
    reason: str | None
    totals: Totals
    conversations: int
    pinned: list[str]
    """Pinned conversations in which an answer changed."""
    unchecked: list[str] = []
    """Pinned conversations of which a turn was not run."""
    asking: list[str] = []
    """Conversations in which something is asked that has no answer in the record."""
    turns: list[TurnReport]
    """Those that differ, the first ones."""
    elapsed_ms: float
    timed_out: bool


async def judge(
    gate: ReplayGate,
    replayer: Replayer,
    reader: Reader,
    record: AgentRecord,
    target: Target,
    *,
    live: bool = False,
) -> GateVerdict:
    """Replay the pinned and the newest conversations of an agent against a build, and say whether it may go in.

    With `live` what it asks anew is asked for real, so that only what comes of it is judged."""
    pins = [id for id, _ in await reader.pins()]
    report = await replayer.try_build(
        record, target.revision, target.config, pins=pins, last=gate.last, timeout_s=gate.timeout_s, live=live
    )
    different = [turn for turn in report.turns if turn.verdict not in ("same", NOT_RUN)]
    judged = [turn for turn in different if not turn.only_asks]
    pinned = list(dict.fromkeys(turn.conversation_id for turn in judged if turn.conversation_id in pins))
    not_run = [turn.conversation_id for turn in report.turns if turn.verdict == NOT_RUN]
    unchecked = list(dict.fromkeys(id for id in not_run if id in pins))
    reason = _reason(gate, report, pinned, unchecked)
    return GateVerdict(
        mode=gate.mode,
        stopped=reason is not None,
        reason=reason,
        totals=report.totals,
        conversations=len(report.conversations),
        pinned=pinned,
        unchecked=unchecked,
        asking=list(dict.fromkeys(turn.conversation_id for turn in different if _asks(turn))),
        turns=different[:KEPT],
        elapsed_ms=report.elapsed_ms,
        timed_out=report.timed_out,
    )


def _asks(turn: TurnReport) -> bool:
    """Whether it asks what nobody has answered."""
    return any(one.source is None for one in turn.asks)


def _fails_now(turn: TurnReport) -> bool:
    """Whether a turn that went well ends with an error, such as an exception in Python, or with output that the host
    refuses. The instance lives, but whoever asked gets a failure."""
    return (
        turn.verdict == CHANGED
        and turn.after is not None
        and turn.before.status == "ok"
        and turn.after.status != "ok"
    )


def _reason(gate: ReplayGate, report: Report, pinned: list[str], unchecked: list[str]) -> str | None:
    totals = report.totals
    stumbled = sum(len(one.stumbled) for one in report.agents)
    if totals.trapped or stumbled:
        count = totals.trapped + stumbled
        which = (
            f"{count} turns that went well trap or hit"
            if count > 1
            else "a turn that went well traps or hits"
        )
        return f"{which} a limit now{_named(one for one in report.turns if one.verdict == TRAPPED)}"
    failing = [turn for turn in report.turns if _fails_now(turn)]
    if failing:
        which = (
            "a turn that went well fails now"
            if len(failing) == 1
            else f"{len(failing)} turns that went well fail now"
        )
        return which + _named(failing)
    if totals.illegal:
        return f"{totals.illegal} turn{'s' if totals.illegal > 1 else ''} would break the protocol"
    if gate.mode != "replay":
        return None
    if pinned:
        asking = {turn.conversation_id for turn in report.turns if _asks(turn)}
        what = "something else is asked" if asking.issuperset(pinned) else "an answer changes"
        return f"{what} in pinned {', '.join(pinned[:3])}"
    if unchecked:
        in_time = f" in {gate.timeout_s:g} s of processor time" if report.timed_out else ""
        return (
            f"pinned {', '.join(unchecked[:3])} could not be checked{in_time}: {len(unchecked)} of the pinned "
            f"conversations {'was' if len(unchecked) == 1 else 'were'} not run; accept the build, or try longer"
        )
    return None


def _named(turns: Iterable[TurnReport]) -> str:
    """What the turns end with now, the most frequent error first in words."""
    errors = Counter(turn.after.error for turn in turns if turn.after is not None and turn.after.error)
    if not errors:
        return ""
    error, count = errors.most_common(1)[0]
    often = f" ({count} times)" if count > 1 else ""
    others = f", and {len(errors) - 1} other errors" if len(errors) > 1 else ""
    return f": {error}{often}{others}"
