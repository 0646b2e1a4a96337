"""What stands under the sequence diagram: the message at which it is stopped, or how the branches stand.

In: a `Timeline`, and one of its messages. Out: three lines of text.
"""

from __future__ import annotations

from typing import Final

from rich.text import Text

from caxton.diagram import Timeline, TimelineMessage
from caxton.diagram.lines import verdict
from caxton.presentation.text import safe, span
from caxton.schemas.messages import BranchBody
from caxton_tui.model.formatting import STYLED, short
from caxton_tui.widgets.status_bars import TextLine
from caxton_tui.widgets.typed_app import key_for

_ENDS: Final = {"success": "●", "foreseen": "○", "fault": "✗"}
"""How a branch ended; `◌` while it has not."""


class ConversationCard(TextLine):
    """One message in short, or all branches."""

    def flush(self, timeline: Timeline | None, spoken: TimelineMessage | None, platform: str) -> None:
        """Show that message, or the branches where there is none."""
        self.put(
            message_lines(spoken) if spoken else self._branches(timeline, platform) if timeline else Text("")
        )

    def _branches(self, timeline: Timeline, platform: str) -> Text:
        """How each participant's branch stands, where the daemon says so."""
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{len(timeline.spoken):,} messages among {len(timeline.lanes)}", "bold")
        bad = sum(spoken.problem for spoken in timeline.spoken)
        if bad:
            problems = f"{bad} problem{'' if bad == 1 else 's'}"
            text.append(f", {problems}: {key_for(self, 'list.problem')}", "bold red")
        if timeline.held:
            text.append(f", {len(timeline.held)} held: {key_for(self, 'app.held')}", "bold yellow")
        if timeline.phase or timeline.outcome:
            text.append(f"  {timeline.phase}{', ' + timeline.outcome if timeline.outcome else ''}")
        if timeline.branches:
            text.append("\n" + "  ".join(_branch(branch, platform) for branch in timeline.branches))
        return text


def _branch(branch: BranchBody, platform: str) -> str:
    who = short(branch.participant, platform)
    sign = _ENDS.get(branch.end or "", "◌")
    awarded = " ★" if branch.awarded else ""
    reason = f" ({safe(branch.reason)})" if branch.reason else ""
    return f"{sign} {who}: {safe(branch.state)}{awarded}{reason}"


def message_lines(spoken: TimelineMessage) -> Text:
    """A message in three lines: who what to whom, what it says, what became of it."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{spoken.sign} {spoken.act}", f"bold {STYLED.get(spoken.sign, '')}".strip())
    text.append(f"  {spoken.sender} → {', '.join(spoken.receivers)}")
    if spoken.answers is not None:
        text.append(f"  ↩ {spoken.answers}", "dim")
    text.append(f"\n{spoken.text or 'no content'}\n")
    if spoken.judged is not None:
        bad = spoken.judged.violation
        text.append(
            f"{'✗' if bad else '·'} {verdict(spoken.act, spoken.judged)}", "bold red" if bad else "dim"
        )
    elif spoken.letters:
        text.append(f"✗ {spoken.letters[0]}", "bold red")
    elif spoken.turns:
        turn = spoken.turns[0]
        text.append(
            f"{turn.agent} {turn.revision}: {turn.ended}, waited {span(turn.queue_us / 1e6)},"
            f" ran {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel",
            "bold red" if turn.failed else "dim",
        )
    else:
        text.append("no turn: for a client, or still on its way", "dim")
    return text
