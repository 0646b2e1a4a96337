"""Every meter of the daemon, named in one place, and its text: Prometheus' exposition format 0.0.4, or OpenMetrics 1.0
with exemplars.

In: plain numbers, read when somebody asks. Out: text. The hot path knows nothing of this: it adds to
integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Literal

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Number = int | float


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One of the values of a bucket: whose trace it belongs to, in seconds, and when it was."""

    trace_id: str
    value: float
    at_us: int


@dataclass(frozen=True, slots=True)
class HistogramReading:
    """How many values lay up to each bound, in seconds and not cumulative, the last number above all bounds; their sum;
    exemplars by bucket."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float
    exemplars: Mapping[int, Exemplar] = field(default_factory=dict[int, Exemplar])


Reading = Number | Mapping[str, Number] | HistogramReading
"""One number, or one for each value of the meter's label, or a histogram."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter: its name, whether it only grows, its sentence, and its label if it has one."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    label: str | None = None


METERS: tuple[Meter, ...] = (
    Meter("caxton_messages_total", "counter", "Messages admitted, whoever sent them."),
    Meter(
        "caxton_deliveries_total", "counter", "Messages put into an agent's mailbox, one for each receiver."
    ),
    Meter("caxton_overtakings_total", "counter", "Urgent messages that went ahead of others that waited."),
    Meter("caxton_publications_total", "counter", "Messages said to topics."),
    Meter(
        "caxton_publications_lost_total",
        "counter",
        "Publications that a subscriber had no room for, one for each.",
    ),
    Meter("caxton_redelivered_total", "counter", "Messages delivered again after a crash."),
    Meter("caxton_refused_total", "counter", "Messages of clients that were refused on arrival."),
    Meter("caxton_turns_total", "counter", "Turns that ended, by how they ended.", "status"),
    Meter(
        "caxton_messages_processed_total",
        "counter",
        "Turns that ended, well (success) or not (failure).",
        "status",
    ),
    Meter("caxton_message_processing_duration_seconds", "histogram", "Time of a turn."),
    Meter(
        "caxton_message_queue_duration_seconds",
        "histogram",
        "Time from admission to the beginning of the turn.",
    ),
    Meter("caxton_message_hop_duration_seconds", "histogram", "Time from admission to the end of the turn."),
    Meter("caxton_turn_seconds_total", "counter", "Time spent inside turns."),
    Meter("caxton_queue_seconds_total", "counter", "Time between admission and the beginning of the turn."),
    Meter("caxton_fuel_total", "counter", "Fuel that turns used, in wasmtime's units."),
    Meter("caxton_log_lines_total", "counter", "Lines that agents logged."),
    Meter("caxton_log_lines_dropped_total", "counter", "Lines of agents above their limit."),
    Meter("caxton_dead_letters_total", "counter", "Messages that could not be handled, by reason.", "code"),
    Meter("caxton_violations_total", "counter", "Messages that broke their protocol, by rule.", "rule"),
    Meter("caxton_conversations_judged", "gauge", "Conversations whose state the referee has in memory."),
    Meter("caxton_mailbox_messages", "gauge", "Messages that wait in mailboxes, those in cells included."),
    Meter("caxton_in_flight_messages", "gauge", "Messages that cells have and have not answered."),
    Meter("caxton_approvals_waiting", "gauge", "Messages that wait for an approval."),
    Meter(
        "caxton_held_messages", "gauge", "Messages that break points hold, and those that wait behind them."
    ),
    Meter("caxton_break_points", "gauge", "Break points that stop messages now."),
    Meter("caxton_agents", "gauge", "Agents by state.", "state"),
    Meter("caxton_df_registrations", "gauge", "Agents that are registered with the df."),
    Meter("caxton_df_subscriptions", "gauge", "Subscriptions to searches of the df."),
    Meter("caxton_agent_events_total", "counter", "Changes of agents' lives, by what happened.", "event"),
    Meter("caxton_agent_restarts_total", "counter", "Instances started again after a failure."),
    Meter("caxton_cells", "gauge", "Cells by state.", "state"),
    Meter("caxton_cell_restarts_total", "counter", "Cells started again after they died."),
    Meter("caxton_cell_memory_bytes", "gauge", "Resident memory of all cells."),
    Meter("caxton_cell_cpu_seconds_total", "counter", "Processor time of the cells that run now."),
    Meter("caxton_cell_handoffs_total", "counter", "Turns so long that another thread took the queue over."),
    Meter("caxton_journal_rows_total", "counter", "Rows committed, by table.", "table"),
    Meter("caxton_journal_bytes_total", "counter", "Bytes of messages committed."),
    Meter("caxton_journal_commits_total", "counter", "Commits."),
    Meter("caxton_journal_commit_seconds_total", "counter", "Time spent in commits."),
    Meter("caxton_journal_commit_duration_seconds", "histogram", "Time of a commit."),
    Meter("caxton_journal_failures_total", "counter", "Commits that failed and were tried again."),
    Meter("caxton_journal_waiting_rows", "gauge", "Rows that are not on disk yet."),
    Meter("caxton_journal_committed_seq", "gauge", "The number up to which everything is on disk."),
    Meter("caxton_journal_trimmed_rows_total", "counter", "Rows that retention removed."),
    Meter("caxton_event_viewers", "gauge", "Viewers of the event stream."),
    Meter("caxton_events_lost_total", "counter", "Rows that slow viewers of the event stream lost."),
    Meter(
        "caxton_telemetry_spans_total",
        "counter",
        "Spans that were exported, by what the collector did with them.",
        "result",
    ),
    Meter(
        "caxton_telemetry_lag_rows", "gauge", "Messages and events that were committed and not yet exported."
    ),
    Meter(
        "caxton_telemetry_missed_rows_total",
        "counter",
        "Messages and events that retention removed before they were exported.",
    ),
    Meter("caxton_uptime_seconds", "gauge", "Time since the daemon started."),
)


def render(readings: Mapping[str, Reading], *, open_metrics: bool = False) -> str:
    """The text for these readings, by name; KeyError for a meter that was not read. OpenMetrics has exemplars."""
    lines: list[str] = []
    for meter in METERS:
        reading = readings[meter.name]
        # in OpenMetrics a counter's family has its name without the ending
        family = meter.name.removesuffix("_total") if open_metrics else meter.name
        lines.append(f"# HELP {family} {meter.help}")
        lines.append(f"# TYPE {family} {meter.type}")
        match reading:
            case HistogramReading():
                lines += _histogram(meter.name, reading, open_metrics)
            case Mapping():
                lines += [
                    f'{meter.name}{{{meter.label}="{_escaped(value)}"}} {number!r}'
                    for value, number in sorted(reading.items())
                ]
            case _:
                lines.append(f"{meter.name} {reading!r}")
    if open_metrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _histogram(name: str, reading: HistogramReading, open_metrics: bool) -> list[str]:
    lines: list[str] = []
    bounds = [*map(repr, reading.bounds), "+Inf"]
    for bucket, (bound, upto) in enumerate(zip(bounds, accumulate(reading.counts), strict=True)):
        line = f'{name}_bucket{{le="{bound}"}} {upto}'
        exemplar = reading.exemplars.get(bucket) if open_metrics else None
        if exemplar is not None:
            line += f' # {{trace_id="{exemplar.trace_id}"}} {exemplar.value!r} {exemplar.at_us / 1e6!r}'
        lines.append(line)
    return [*lines, f"{name}_sum {reading.total!r}", f"{name}_count {sum(reading.counts)}"]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
