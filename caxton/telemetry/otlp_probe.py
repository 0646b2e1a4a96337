"""One entry of each signal, for `caxton telemetry test`: as real as all others, under an instance of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from caxton.telemetry import otlp
from caxton.telemetry.export_status import now_us
from caxton.telemetry.otlp_settings import Signal
from caxton.telemetry.resource import resource_of

WORDS = "caxton telemetry test"


def request(signal: Signal, project: str, environ: Mapping[str, str]) -> bytes:
    """A request with one entry."""
    now = now_us()
    resource = otlp.resource(resource_of(project, "test", environ))
    match signal:
        case "traces":
            trace, span = secrets.token_hex(16), secrets.token_hex(8)
            one = otlp.Span(trace, span, "", WORDS, otlp.Kind.INTERNAL, now, now, {})
            return otlp.traces(resource, [one.encoded()])
        case "metrics":
            uptime = otlp.number_meter("caxton_uptime_seconds", WORDS, [({}, 0.0)], now, now, grows=False)
            return otlp.metrics(resource, [uptime])
        case "logs":
            return otlp.logs(resource, [otlp.Record(now * 1000, 9, "INFO", WORDS, {}).encoded()])
