"""A conversation as a page: what it is, its diagram, and every message whole.

In: a conversation as the API gives it, or one page of it. Out: HTML in one file. Nothing that an agent or a client said
is markup, a control character or a direction of writing in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from caxton import exact_numbers
from caxton.diagram.svg import draw_svg
from caxton.diagram.timeline import TimelineMessage, read_timeline
from caxton.presentation.html_document import document, escaped
from caxton.presentation.names import short
from caxton.presentation.text import plural, span
from caxton.schemas.messages import ConversationDetail
from caxton.schemas.shape import iso, micros

ROOM: Final = 20_000
"""Characters of one message that are shown; a file for a ticket may not be a hundred megabytes."""


def draw_page(
    found: ConversationDetail, *, before: int = 0, now_us: int = 0, script: str | None = None, more: str = ""
) -> str:
    """The whole page. `before` counts messages that are left out at its beginning, `script` keeps it fresh, `more` is
    where its next page is; `now_us`: deadlines before it have passed."""
    timeline = read_timeline(found, before=before)
    parts = [
        f'<main>\n<h1>{escaped(found.id)}</h1>\n<p id="live" class="quiet"></p>',
        "<table>\n<tbody>",
        *(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in _facts(found)),
        "</tbody>\n</table>",
        '<h2>Diagram</h2>\n<div class="drawing">',
        draw_svg(timeline, now_us=now_us),
        "</div>\n<h2>Messages</h2>",
        *map(_message, timeline.spoken),
        *(["<h2>Held</h2>"] if timeline.held else []),
        *map(_message, timeline.held),
    ]
    if found.next is not None:
        last = before + len(timeline.spoken)
        link = f' <a href="{escaped(more)}">the next page</a>' if more else ""
        parts.append(f"<p>after {plural(last, 'message')} there are more:{link}</p>")
    parts.append("</main>")
    return document(f"{found.id}: conversation", "\n".join(parts), script=script)


def _facts(found: ConversationDetail) -> Iterator[tuple[str, str]]:
    """What stands above the diagram, by name; values are markup already."""
    state = " ".join(filter(None, (found.state, found.phase and f"({found.phase})", found.outcome)))
    lasted = (found.last_at - found.started_at).total_seconds()
    yield "protocol", escaped(found.protocol or "none")
    if state:
        yield "state", escaped(state)
    yield "began", f"{iso(micros(found.started_at))}, {span(lasted)}, {plural(found.messages, 'message')}"
    yield "initiator", escaped(short(found.initiator))
    yield "participants", escaped(", ".join(map(short, found.participants)))
    if found.parent is not None:
        yield "serves", escaped(found.parent)
    if found.violations:
        yield "violations", f'<span class="other">{found.violations}</span>'
    for branch in found.branches:
        awarded, why = ", awarded" if branch.awarded else "", f": {branch.reason}" if branch.reason else ""
        yield "branch", escaped(f"{short(branch.participant)} is {branch.state}{awarded}{why}")


def _message(one: TimelineMessage) -> str:
    at = iso(one.at_us)
    head = f"{one.number:>4} {at[11:]} {one.sign} {one.act}  {one.sender} → {', '.join(one.receivers)}  {one.text}"
    whole = exact_numbers.text(one.body.message.json, 2)
    cut = f"\n… and {len(whole) - ROOM:,} characters more" if len(whole) > ROOM else ""
    lines = [*whole[:ROOM].split("\n"), *filter(None, cut.split("\n")), *_became(one)]
    style = ' class="other"' if one.problem else ""
    body = "\n".join(map(escaped, lines))
    return (
        f'<details id="m{one.seq}"><summary{style}>{escaped(head)}</summary>\n<pre>{body}</pre>\n</details>'
    )


def _became(one: TimelineMessage) -> Iterator[str]:
    """What became of a message, a line each."""
    if one.again:
        yield "delivered again after a crash"
    if one.judged is not None:
        yield f"{one.judged.rule}: {one.judged.sentence}"
    yield from one.letters
    for turn in one.turns:
        revision = f" ({turn.revision})" if turn.revision else ""
        yield (
            f"{turn.agent}{revision}: {turn.ended}, waited {span(turn.queue_us / 1e6)},"
            f" took {span(turn.turn_us / 1e6)}, {turn.fuel:,} fuel, {turn.sent} sent"
        )
