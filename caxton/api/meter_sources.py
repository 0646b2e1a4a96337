"""Where every meter's number comes from: the services' plain integers, read at the moment of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from caxton.api.services import Services
from caxton.api.stream.hub import Hub
from caxton.telemetry.metrics import Exemplar, Reading
from caxton.telemetry.row_meters import RowMeters

AGENT_STATES: tuple[str, ...] = (
    "unloaded",
    "unbuilt",
    "loaded",
    "recovering",
    "running",
    "suspended",
    "draining",
    "failed",
)
CELL_STATES: tuple[str, ...] = ("starting", "ready", "restarting", "stopped")


def readings(
    services: Services, hub: Hub, rows_made: RowMeters, exemplars: Mapping[int, Exemplar] | None = None
) -> dict[str, Reading]:
    """A reading for each of `telemetry.metrics.METERS`; costs O(agents)."""
    bus, rows = services.bus.counts, services.journal.counts
    agents, cells = services.agents.views(), services.cells.views()
    agent_states = Counter(dict.fromkeys(AGENT_STATES, 0))
    agent_states.update(view.state for view in agents)
    cell_states = Counter(dict.fromkeys(CELL_STATES, 0))
    cell_states.update(str(view.state) for view in cells)
    return {
        "caxton_messages_total": bus.messages,
        "caxton_deliveries_total": bus.deliveries,
        "caxton_overtakings_total": bus.overtakings,
        "caxton_publications_total": bus.publications,
        "caxton_publications_lost_total": bus.publications_lost,
        "caxton_redelivered_total": bus.redelivered,
        "caxton_refused_total": bus.refused,
        "caxton_turns_total": {
            "ok": bus.turns_ok - bus.put_backs,
            "put_back": bus.put_backs,
            "guest_error": bus.turns_guest_error,
            "trap": bus.turns_trap,
            "limit": bus.turns_limit,
            "broken": bus.turns_broken,
            "refused": bus.turns_refused,
        },
        "caxton_messages_processed_total": {"success": bus.turns_ok, "failure": bus.turns - bus.turns_ok},
        "caxton_message_processing_duration_seconds": rows_made.turns.reading(exemplars),
        "caxton_message_queue_duration_seconds": rows_made.queues.reading(),
        "caxton_message_hop_duration_seconds": rows_made.hops.reading(),
        "caxton_turn_seconds_total": bus.turn_us / 1e6,
        "caxton_queue_seconds_total": bus.queue_us / 1e6,
        "caxton_fuel_total": bus.fuel,
        "caxton_log_lines_total": bus.logs,
        "caxton_log_lines_dropped_total": bus.logs_dropped,
        "caxton_dead_letters_total": bus.by_reason,
        "caxton_violations_total": bus.by_rule,
        "caxton_conversations_judged": len(services.bus.referee_service.known),
        "caxton_mailbox_messages": sum(view.mailbox for view in agents),
        "caxton_in_flight_messages": sum(view.in_flight for view in agents),
        "caxton_held_messages": len(services.hold),
        "caxton_approvals_waiting": len(services.hold.approvals),
        "caxton_break_points": len(services.hold.points.on),
        "caxton_agents": agent_states,
        "caxton_df_registrations": len(services.df.entries()),
        "caxton_df_subscriptions": len(services.df.subscriptions()),
        "caxton_agent_events_total": rows_made.agent_events,
        "caxton_agent_restarts_total": sum(view.restarts for view in agents),
        "caxton_cells": cell_states,
        "caxton_cell_restarts_total": sum(view.restarts for view in cells),
        "caxton_cell_memory_bytes": sum(view.rss_kib for view in cells) * 1024,
        "caxton_cell_cpu_seconds_total": sum(view.cpu_s for view in cells),
        "caxton_cell_handoffs_total": sum(view.handoffs for view in cells),
        "caxton_journal_rows_total": {
            "message": rows.messages,
            "turn": rows.turns,
            "record": rows.records,
        },
        "caxton_journal_bytes_total": rows.bytes,
        "caxton_journal_commits_total": rows.commits,
        "caxton_journal_commit_seconds_total": rows.commit_us / 1e6,
        "caxton_journal_commit_duration_seconds": rows_made.commits.reading(),
        "caxton_journal_failures_total": rows.failures,
        "caxton_journal_waiting_rows": services.journal.waiting_rows,
        "caxton_journal_committed_seq": services.journal.committed,
        "caxton_journal_trimmed_rows_total": rows.trimmed_rows,
        "caxton_event_viewers": hub.viewers,
        "caxton_events_lost_total": hub.lost,
        **_exported(services),
        "caxton_uptime_seconds": (services.clock.now_us() - services.started_us) / 1e6,
    }


def _exported(services: Services) -> dict[str, Reading]:
    """What the export of spans says of itself; zeros where there is none."""
    lag, missed, spans = 0, 0, {"accepted": 0, "rejected": 0, "refused": 0}
    if services.config.config.telemetry.exporter == "otlp":
        # a daemon that exports nothing does not load what exports
        from caxton.telemetry.export_status import read_status

        if status := read_status(services.config.state, "traces"):
            counts = status.counts
            spans = {"accepted": counts.accepted, "rejected": counts.rejected, "refused": counts.refused}
            lag, missed = max(0, services.journal.committed - status.place.cursor), status.place.missed
    return {
        "caxton_telemetry_spans_total": spans,
        "caxton_telemetry_lag_rows": lag,
        "caxton_telemetry_missed_rows_total": missed,
    }
