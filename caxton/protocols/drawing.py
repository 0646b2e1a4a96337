"""A protocol as a person sees it: its machine as mermaid text, its table as Markdown.

In: a protocol. Out: text for `docs/protocols.md` (`python -m caxton.protocols.drawing` writes the page's drawings
anew; a test holds that they are in step).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from caxton.protocols.library import Library, library
from caxton.protocols.protocol import NO_DEADLINE, START, STAY, End, Protocol
from caxton.protocols.rules import IGNORED, LEGAL, VIOLATIONS

BEGIN: Final = "<!-- drawn from the tables: begin -->"
END: Final = "<!-- drawn from the tables: end -->"
_MARKS: Final = {End.SUCCESS: "✔", End.FORESEEN: "■", End.FAULT: "✖"}
_SIDES: Final = {"initiator": "I", "participant": "P"}


def mermaid(protocol: Protocol) -> str:
    """The state machine of one branch."""
    lines = ["stateDiagram-v2"]
    ends = [state for state in protocol.states.values() if state.end is not None]
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in protocol.steps:
        if step.ignored is None:
            says = f"{_SIDES[step.by.value]} {step.act.value}"
            arrows.setdefault((step.source, step.to), []).append(says)
    for state in protocol.states.values():
        if state.deadline not in (STAY, NO_DEADLINE):
            arrows.setdefault((state.name, state.deadline), []).append("deadline")
        if state.served is not None:
            arrows.setdefault((state.name, state.served), []).append("all relayed")
    drawn = {name for pair in arrows for name in pair}
    for name in sorted(drawn - {START}):
        end = protocol.states[name].end
        lines.append(f'    state "{name}{f" {_MARKS[end]}" if end else ""}" as {_id(name)}')
    for (source, to), acts in arrows.items():
        begin = "[*]" if source == START else _id(source)
        lines.append(f"    {begin} --> {_id(to)}: {', '.join(acts)}")
    lines += [f"    {_id(state.name)} --> [*]" for state in ends if state.name in drawn]
    return "\n".join(lines)


def markdown(protocol: Protocol) -> str:
    """The table of one protocol, row by row."""
    rows = ["| from | who | says | to | |", "|---|---|---|---|---|"]
    for step in protocol.steps:
        end = protocol.states[step.to].end
        notes = [step.note] if step.note else []
        notes += [f"needs `{need}`" for need in step.needs]
        if step.ignored:
            notes.append(f"ignored: `{step.ignored}`")
        if step.answer is not None:
            notes.append(f"the platform answers {step.answer.value}, reason {step.reason}")
        if step.warning:
            notes.append("with a warning")
        to = f"{step.to} {_MARKS[end]}" if end else step.to
        rows.append(f"| {step.source} | {step.by.value} | {step.act.value} | {to} | {'; '.join(notes)} |")
    for state in protocol.states.values():
        if state.deadline not in (STAY, NO_DEADLINE):
            end = protocol.states[state.deadline].end
            rows.append(
                f"| {state.name} | – | reply_by passes | {state.deadline} {_MARKS[end] if end else ''} | |"
            )
        if state.served is not None:
            rows.append(
                f"| {state.name} | – | every sub-conversation ended and relayed | {state.served} ✔ | |"
            )
    return "\n".join(rows)


def drawings(protocols: Library) -> str:
    """The part of the page that is made from the tables and the rules."""
    parts: list[str] = []
    for protocol in protocols.protocols.values():
        named = f" Also known as {', '.join(protocol.names)}." if protocol.names else ""
        idle = (
            f"expires after {protocol.time_to_live_us // 1_000_000} s without a step"
            if protocol.time_to_live_us
            else "never expires of idleness"
        )
        cancel = "may be cancelled" if protocol.cancel else "has no cancel"
        parts.append(
            f"### {protocol.name}\n\n{protocol.says} {protocol.document}.{named} It {cancel} and {idle}.\n\n"
            f"```mermaid\n{mermaid(protocol)}\n```\n\n{markdown(protocol)}"
        )
    parts.append("## Rules\n\n| verdict | rule | in words |\n|---|---|---|")
    rows = [
        f"| {verdict} | `{rule}` | {words} |"
        for verdict, rules in (("legal", LEGAL), ("ignored", IGNORED), ("violation", VIOLATIONS))
        for rule, words in rules.items()
    ]
    return "\n\n".join(parts) + "\n" + "\n".join(rows)


def redrawn(page: str, protocols: Library) -> str:
    """The page with its drawn part made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{drawings(protocols)}\n\n{END}{after}"


def _id(name: str) -> str:
    return re.sub(r"\W", "_", name)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(redrawn(path.read_text("utf-8"), library()), "utf-8")
