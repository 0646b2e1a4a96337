"""Log records and meters as OpenTelemetry's, for a daemon whose configuration names an exporter.

In: the daemon's log records as they come, and readings of its meters once an interval. Out: OpenTelemetry's records
with the daemon's resource; the console exporter writes each as one line of JSON to the stream of the log. Only this
module and `otlp_pipeline.py` import OpenTelemetry, and a daemon without an exporter imports neither.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, Protocol, TextIO, cast

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, ConsoleLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from caxton import __version__
from caxton.telemetry.logs import harmless
from caxton.telemetry.metrics import METERS, HistogramReading, Meter, Reading
from caxton.telemetry.resource import SERVICE, resource_of

_SEVERITIES: Final = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}

Readings = Mapping[str, Reading]
Attribute = str | bool | int | float


def resource(project: str, instance: str) -> Resource:
    """Who exports: this start of the daemon of that project. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win."""
    return Resource.create(resource_of(project, instance, os.environ))


class Pipeline:
    """Exports what this process logs from now on until `close`, and its meters while `meters` runs."""

    def __init__(self, resource: Resource, stream: TextIO, interval_s: float = 60.0) -> None:
        self.interval_s = interval_s
        self._log_provider = LoggerProvider(resource, shutdown_on_exit=False)
        self._log_provider.add_log_record_processor(
            BatchLogRecordProcessor(ConsoleLogRecordExporter(stream, _one_line))
        )
        # no interval of its own: that would be a thread, which cannot read what the loop changes
        self._reader = PeriodicExportingMetricReader(ConsoleMetricExporter(stream, _one_line), math.inf)
        self._meter_provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self._readings: Readings = {}
        instruments = self._meter_provider.get_meter(SERVICE, __version__)
        for meter in METERS:
            if meter.type == "histogram":
                # the SDK makes histograms of single values only; the sums are counters, too
                continue
            make = (
                instruments.create_observable_counter
                if meter.type == "counter"
                else instruments.create_observable_gauge
            )
            make(meter.name, [partial(self._observe, meter)], description=meter.help)
        self._handler = LogHandler(self._log_provider)
        logging.getLogger().addHandler(self._handler)

    async def meters(self, read: Callable[[], Readings], interval_s: float) -> None:
        """Export what `read` says every `interval_s` seconds until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(interval_s)
                self._readings = read()
                await asyncio.to_thread(self._reader.collect)
        finally:
            self._readings = read()
            self._reader.collect()

    def close(self) -> None:
        """Export what waits, and nothing after it."""
        logging.getLogger().removeHandler(self._handler)
        self._log_provider.shutdown()
        self._meter_provider.shutdown()

    def _observe(self, meter: Meter, _: CallbackOptions) -> Iterator[Observation]:
        reading = self._readings.get(meter.name, {})
        assert not isinstance(reading, HistogramReading)
        if not isinstance(reading, Mapping):
            yield Observation(reading)
            return
        assert meter.label is not None or not reading
        for value, number in reading.items():
            yield Observation(number, {str(meter.label): value})


class LogHandler(logging.Handler):
    """Hands every record of the process to OpenTelemetry, with the fields that the log itself shows."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("opentelemetry"):
            # what the export says of itself must not make more to export
            return
        fields = _fields(record)
        body = str(fields.pop("event", ""))
        context = _context(fields.pop("trace_id", None), fields.pop("span_id", None))
        self._provider.get_logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=int(record.created * 1e9),
                context=context,
                severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
                severity_text=record.levelname,
                body=body,
                attributes={key: _attribute(value) for key, value in fields.items()},
            )
        )


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """What a record says: structlog's own come as a dictionary, those of other packages as text."""
    given: object = record.msg
    if not isinstance(given, dict):
        fields: dict[str, object] = {"event": harmless(record.getMessage())}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception.message"] = harmless(str(record.exc_info[1]))
            fields["exception.type"] = type(record.exc_info[1]).__qualname__
        return fields
    fields = dict(cast("dict[str, object]", given))
    for known in ("at", "level", "logger"):
        fields.pop(known, None)
    if "exception" in fields:
        fields["exception.stacktrace"] = fields.pop("exception")
    return fields


def _attribute(value: object) -> Attribute:
    return value if isinstance(value, str | bool | int | float) else harmless(str(value))


def _context(trace_id: object, span_id: object) -> Context | None:
    if not isinstance(trace_id, str) or not isinstance(span_id, str):
        return None
    span = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(span), Context())


class _Printable(Protocol):
    def to_json(self, indent: int | None = None) -> str: ...


def _one_line(record: _Printable) -> str:
    """One line a record, so that the log stays a file of lines."""
    return f"{record.to_json(indent=None)}\n"
