"""A deployment as text: what `caxton deploy status` shows, and the one line that says where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caxton.cli.output.printing import colour_wanted, paint, safe, span, state_style, table
from caxton.cli.output.replayed_turns import turn_lines
from caxton.presentation.replays import totals_line
from caxton.presentation.text import drain_words
from caxton.schemas.deployments import DeploymentBody, GateBody
from caxton.schemas.shape import plain


def where(found: DeploymentBody) -> str:
    """How far a deployment is, in one line."""
    name, strategy, revision = safe(found.agent), found.strategy, str(found.revision)[:12]
    progress: dict[str, Any] = found.progress or {}
    if found.state == "draining":
        left = f" ({drain_words(progress['drain'])})" if "drain" in progress else ""
        return f"{name} is revision {revision}; the old one ends its conversations{left}"
    match strategy:
        case "canary" if progress:
            stage = f"stage {progress['stage']} of {progress['stages']}, {progress['percent']:g} %"
            return f"{name}: canary of {revision}: {stage}, {span(progress['left_s'])} left"
        case "shadow" if progress:
            return f"{name}: shadow of {revision}: {span(progress['left_s'])} left"
        case _:
            return f"{name}: {strategy} of {revision}: {found.state}"


def deployment_lines(found: DeploymentBody) -> Iterator[str]:
    """Everything about a deployment, line by line."""
    parts = ("timings", "validation", "progress", "gate", "waits")
    fields: dict[str, Any] = plain(found)
    rows = {key: value for key, value in fields.items() if key not in parts}
    rows |= fields["timings"] or {}
    for name, value in rows.items():
        text = "-" if value is None else safe(value)
        label = paint(f"{name.replace('_', ' '):<13}", "bold")
        yield f"{label} {paint(text, state_style(value))}"
    for check in found.validation:
        label = paint(f"{'check':<13}", "bold")
        word = paint("passed" if check.passed else "failed", "green" if check.passed else "red")
        yield f"{label} {safe(check.step):<10} {word}  {safe(check.detail)} ({check.ms:.1f} ms)"
    if found.gate is not None:
        yield from _gate(found.gate, found.waits)
    if found.progress is not None:
        yield from _progress(found.progress, found.state)


def _gate(gate: GateBody, waits: bool) -> Iterator[str]:
    label = paint(f"{'gate':<13}", "bold")
    word = paint("stopped" if gate.stopped else "passed", "yellow" if gate.stopped else "green")
    why = f": {safe(gate.reason)}" if gate.reason else ""
    yield f"{label} {gate.mode}  {word}{why}  ({totals_line(gate.totals)})"
    for turn in gate.turns:
        yield f"  {safe(turn.conversation_id)}"
        yield from (f"    {line}" for line in turn_lines(turn, colour=colour_wanted()))
    if waits:
        yield "it waits for: caxton deploy promote, caxton deploy abort, or a newer build"


def _progress(progress: dict[str, Any], state: str) -> Iterator[str]:
    def line(name: str, text: str) -> str:
        return f"{paint(f'{name:<13}', 'bold')} {text}"

    if "stage" in progress:
        stage = (
            f"{progress['stage']} of {progress['stages']}: {progress['percent']:g} % of the new conversations"
        )
        yield line("stage", stage + (f", {span(progress['left_s'])} left" if state == "deploying" else ""))
    if "drain" in progress:
        yield line("drain", drain_words(progress["drain"]))
    if "same" in progress:
        yield line("compared", f"{progress['same']} same, {progress['different']} different")
    if progress.get("breakdowns"):
        yield line("breakdowns", str(progress["breakdowns"]))
    yield from _sides("this stage" if "stage" in progress else "", progress["sides"])
    for past in progress.get("past", []):
        yield from _sides(f"at {past['percent']:g} %", past)
    for example in progress.get("examples", []):
        yield f"message {example['seq']} ({safe(example['act'])}, {safe(example['conversation_id'])})"
        for difference in example["differences"]:
            yield f"    {safe(difference)}"


def _sides(title: str, sides: dict[str, Any]) -> list[str]:
    old, new = sides["old"], sides["new"]
    rows = [
        ("turns", f"{old['turns']:,}", f"{new['turns']:,}"),
        ("said", f"{old['spoken']:,}", f"{new['spoken']:,}"),
        (
            "errors",
            f"{old['errors']:,} ({old['error_rate']:g} %)",
            f"{new['errors']:,} ({new['error_rate']:g} %)",
        ),
        ("violations", f"{old['violations']:,}", f"{new['violations']:,}"),
        ("p99", f"{old['p99_us'] / 1000:.2f} ms", f"{new['p99_us'] / 1000:.2f} ms"),
        ("fuel a turn", f"{old['fuel_a_turn']:,}", f"{new['fuel_a_turn']:,}"),
    ]
    return table(
        rows, [(title.upper(), lambda row: row[0]), ("OLD", lambda row: row[1]), ("NEW", lambda row: row[2])]
    )
