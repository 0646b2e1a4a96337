"""`caxton trace`: where the time of a conversation went."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import ConversationId, Format, MessageLimit, Output, Project, command_app
from caxton.cli.output.printing import document, say, talk

if TYPE_CHECKING:
    from caxton import diagram
else:
    (diagram,) = lazy("caxton.diagram")

app = command_app("Where the time of a conversation went.")


@app.callback()
def trace() -> None:
    """Where the time of a conversation went."""


@app.command()
def show(
    id: ConversationId,
    limit: MessageLimit = 1000,
    project: Project = None,
    output: Output = Format.TEXT,
) -> None:
    """Show a conversation as a waterfall: each turn with how long its message waited, how long it ran, and its fuel.

    A dot before an agent stands for each message between it and the one from outside. json and jsonl give
    one object a turn, times in microseconds from the conversation's beginning.

    \b
    Examples:
      caxton trace show market-1
      caxton trace show market-1 -o jsonl
    """
    with connection.client(project) as caxton:
        found = caxton.conversation(id, limit=limit)
    timeline = diagram.read_timeline(found)
    if output is Format.TEXT:
        say(diagram.draw_waterfall(timeline, shutil.get_terminal_size((120, 24)).columns))
    else:
        bars = [
            {
                "seq": bar.spoken.seq,
                "depth": bar.depth,
                "act": bar.spoken.act,
                "sender": bar.spoken.sender,
                "agent": bar.turn.agent if bar.turn else None,
                "revision": bar.turn.revision if bar.turn else None,
                "status": bar.turn.status if bar.turn else None,
                "start_us": bar.start_us,
                "queue_us": bar.queue_us,
                "turn_us": bar.turn_us,
                "fuel": bar.turn.fuel if bar.turn else 0,
            }
            for bar in diagram.bars_of(timeline)
        ]
        for item in [bars] if output is Format.JSON else bars:
            document(item, output)
    if found.next:
        talk(f"there are more; show them with --limit {limit * 10}")
