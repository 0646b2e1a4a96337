"""What a deployment's checks found and how far it is, the same for the command line and for every viewer.

In: a deployment as the API gives it. Out: fields, each a name, what it says and its style; both revisions in figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from caxton.presentation.text import drain_words, safe, span

if TYPE_CHECKING:
    from caxton.schemas.deployments import DeploymentBody

Field = tuple[str, str, str]
"""A name, what it says, its style."""
_CUT = 1_000
"""Characters of a text that are shown."""


def check_fields(found: DeploymentBody) -> Iterator[Field]:
    """The checks of the revision."""
    for check in found.validation:
        text = f"{'●' if check.passed else '✗'} {safe(check.step)}: {safe(check.detail)[:_CUT]}"
        yield "check", f"{text} ({check.ms:.1f} ms)", "" if check.passed else "bold red"


def progress_fields(found: DeploymentBody) -> Iterator[Field]:
    """How far it is, and what was found on the way."""
    progress: dict[str, Any] = found.progress or {}
    if "stage" in progress:
        percent = f"{progress['percent']:g} % of the new conversations"
        yield "stage", f"{progress['stage']} of {progress['stages']}: {percent}", "bold"
    if "left_s" in progress:
        yield "left", span(progress["left_s"]), ""
    if "drain" in progress:
        yield "drain", drain_words(progress["drain"]), ""
    if "same" in progress:
        different = progress["different"]
        yield "compared", f"{progress['same']} same, {different} different", "yellow" if different else ""
    if progress.get("breakdowns"):
        yield "breakdowns", str(progress["breakdowns"]), "bold red"
    for example in progress.get("examples") or ():
        yield "message", f"{example['seq']} {safe(example['act'])} in {safe(example['conversation_id'])}", ""
        for said in example["differences"]:
            yield "", safe(said)[:_CUT], "yellow"


def side_rows(sides: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Both revisions as the strategy measured them: a figure, that of the old one, that of the new one."""
    old, new = _figures(sides["old"]), _figures(sides["new"])
    return [(name, text, new[name]) for name, text in old.items()]


def _figures(side: Mapping[str, Any]) -> dict[str, str]:
    return {
        "turns": f"{side['turns']:,}",
        "said": f"{side['spoken']:,}",
        "errors": f"{side['errors']:,} ({side['error_rate']:g} %)",
        "violations": f"{side['violations']:,}",
        "p99": span(side["p99_us"] / 1e6),
        "fuel a turn": f"{side['fuel_a_turn']:,}",
    }
