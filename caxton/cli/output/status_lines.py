"""The daemon at a glance, line by line: for `caxton status` and for who asks by MCP."""

from __future__ import annotations

from collections.abc import Iterator

from caxton.cli.output.printing import paint, plural, safe, size, span
from caxton.presentation.standstills import standstill_lines
from caxton.schemas.daemon import AgentTotals, StatusBody


def status_lines(answer: StatusBody) -> Iterator[str]:
    """The daemon, line by line."""
    agents, journal, counts = answer.agents, answer.journal, answer.counts
    rows: list[tuple[str, str]] = [
        ("project", f"{safe(answer.project)}  {paint(safe(answer.folder), 'dim')}"),
        (
            "daemon",
            f"running for {span(answer.uptime_s)}, pid {answer.pid}, caxton {answer.version}",
        ),
        (
            "agents",
            f"{agents.running} running, {_some(agents.unbuilt, 'unbuilt')}"
            f"{_some(agents.recovering, 'recovering')}{_some(agents.suspended, 'suspended')}{agents.stopped} stopped, "
            + _failed(agents),
        ),
    ]
    for cell in answer.cells:
        rows.append(
            (
                f"cell {cell.no}",
                f"{cell.state}, {plural(cell.agents, 'agent')}, {cell.in_flight} in flight, "
                f"{size(1024 * (cell.rss_kib or 0))}, {plural(cell.restarts, 'restart')}, "
                f"{cell.calls} calls",
            )
        )
    held = answer.held
    if held.messages or held.break_points:
        text = f"{plural(held.messages, 'message')} held, {plural(held.break_points, 'break point')}"
        rows.append(("break", paint(f"{text}: caxton break list, caxton break held", "bold yellow")))
    rows += [("waits", paint(line, "bold red")) for line in standstill_lines(answer)]
    if answer.approvals.waiting:
        text = f"{plural(answer.approvals.waiting, 'message')} {'waits' if answer.approvals.waiting == 1 else 'wait'}"
        rows.append(("approvals", paint(f"{text} for a yes: caxton approve list", "bold yellow")))
    rows.append(
        (
            "journal",
            f"{plural(journal.rows, 'row')}, {size(journal.bytes)}, committed up to "
            f"{journal.committed_seq:,}, {plural(journal.waiting_rows, 'row')} waiting",
        )
    )
    if journal.failed:
        rows.append(("", paint(f"cannot write: {safe(journal.failed)}", "bold red")))
    rows.append(
        (
            "so far",
            f"{plural(counts['messages'], 'message')}, {plural(counts['turns'], 'turn')} "
            f"({counts['turns'] - counts['turns_ok']:,} not ok), {counts['fuel']:,} fuel, "
            f"{plural(counts['dead_letters'], 'dead letter')}, {plural(counts['violations'], 'violation')}, "
            f"{counts['redelivered']:,} delivered again",
        )
    )
    for name, text in rows:
        yield f"{paint(f'{name:<9}', 'bold')} {text}"


def _failed(agents: AgentTotals) -> str:
    return paint(f"{agents.failed} failed", "red" if agents.failed else None)


def _some(count: int, state: str) -> str:
    """How many are in that state, where any is."""
    return f"{count} {state}, " if count else ""
