"""`caxton telemetry`: where traces, meters and logs go, what became of them, and whether a collector takes any."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import listing, plural, talk
from caxton.errors import Unreachable
from caxton.presentation.text import safe

if TYPE_CHECKING:
    from caxton import config as configuration
    from caxton.telemetry import collector as collectors
    from caxton.telemetry import export_status, otlp_probe, otlp_settings
else:
    configuration, collectors, export_status, otlp_probe, otlp_settings = lazy(
        "caxton.config",
        "caxton.telemetry.collector",
        "caxton.telemetry.export_status",
        "caxton.telemetry.otlp_probe",
        "caxton.telemetry.otlp_settings",
    )

app = command_app("Show where telemetry goes and what became of it, or try a collector.")
OFF: Final = 'telemetry is off; set [telemetry] exporter = "otlp" in caxton.toml and start the daemon again'


@app.command()
def status(project: Project = None, output: Output = Format.TEXT) -> None:
    """Show for traces, metrics and logs where they go, what was accepted, and why something was not.

    Counts are those of the daemon that runs, or of the last one. The lag is how many messages and events were committed
    and not yet sent as spans; missed are those that retention removed before.

    \b
    Examples:
      caxton telemetry status
      caxton telemetry status -o json
    """
    found = configuration.load(connection.folder(project))
    if found.config.telemetry.exporter != "otlp":
        talk(OFF)
    listing(
        list(_statuses(found)),
        output,
        [
            ("SIGNAL", lambda row: row["signal"]),
            ("TO", lambda row: safe(row["endpoint"] or "off")),
            ("ACCEPTED", lambda row: f"{row['accepted']:,}"),
            ("REFUSED", lambda row: f"{row['refused'] + row['rejected']:,}"),
            ("LAG", lambda row: "" if row["lag"] is None else f"{row['lag']:,}"),
            ("MISSED", lambda row: "" if row["missed"] is None else f"{row['missed']:,}"),
            ("TROUBLE", lambda row: safe(row["trouble"] or "")),
        ],
        "no signal is exported",
    )


@app.command("test")
def try_collector(project: Project = None, output: Output = Format.TEXT) -> None:
    """Send one span, one meter and one log record to where the configuration says, and show what is answered.

    No daemon is needed, and `exporter` may still be off. Exit code 4 where something was not taken.

    \b
    Examples:
      caxton telemetry test
      OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 caxton telemetry test
    """
    found = configuration.load(connection.folder(project))
    rows: list[dict[str, Any]] = []
    for signal in otlp_settings.SIGNALS:
        settings = otlp_settings.otlp_settings(found.config.telemetry, signal, os.environ)
        if settings is None:
            continue
        sink = collectors.collector(settings)
        began = time.monotonic()
        try:
            answer = sink.send(otlp_probe.request(signal, found.config.name, os.environ))
        finally:
            sink.close()
        taken = answer.verdict is collectors.Verdict.ACCEPTED and not answer.rejected
        rows.append(
            {
                "signal": signal,
                "endpoint": settings.shown,
                "protocol": settings.protocol,
                "accepted": taken,
                "why": answer.why or None,
                "ms": round((time.monotonic() - began) * 1000, 1),
            }
        )
    listing(
        rows,
        output,
        [
            ("SIGNAL", lambda row: row["signal"]),
            ("TO", lambda row: safe(row["endpoint"])),
            ("ANSWER", lambda row: "accepted" if row["accepted"] else "not taken"),
            ("MS", lambda row: f"{row['ms']:,}"),
            ("WHY", lambda row: safe(row["why"] or "")),
        ],
        "the environment switches every signal off",
    )
    refused = [row for row in rows if not row["accepted"]]
    if refused:
        raise Unreachable(
            f"{plural(len(refused), 'signal')} not taken by the collector",
            hint="look at telemetry.endpoint and the OTEL_EXPORTER_OTLP_… variables: caxton docs telemetry",
        )


def _statuses(found: configuration.Project) -> Iterator[dict[str, Any]]:
    """A row for each signal that is on, or was."""
    for signal in otlp_settings.SIGNALS:
        status = export_status.read_status(found.state, signal)
        settings = None
        if found.config.telemetry.exporter == "otlp":
            settings = otlp_settings.otlp_settings(found.config.telemetry, signal, os.environ)
        if status is None and settings is None:
            continue
        counts = export_status.ExportCounts() if status is None else status.counts
        spans = status if signal == "traces" else None
        yield {
            "signal": signal,
            "endpoint": settings.shown if settings is not None else None,
            "accepted": counts.accepted,
            "rejected": counts.rejected,
            "refused": counts.refused,
            "retries": counts.retries,
            "left_out": counts.left_out if signal == "traces" else None,
            "lag": None if spans is None else spans.lag,
            "missed": None if spans is None else spans.place.missed,
            "trouble": status.trouble or None if status is not None else None,
        }
