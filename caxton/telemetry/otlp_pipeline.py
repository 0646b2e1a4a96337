"""The daemon's log records and meters to a collector, by OTLP.

In: as in `pipeline.py`. Out: requests of two signals, made and sent by threads of their own. What a collector does not
take in three tries is given up and counted: meters say the same again an interval later, log records stand in the log
as well.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource

from caxton.config.tables import TelemetryTable
from caxton.telemetry import otlp
from caxton.telemetry.collector import Answer, Verdict, collector
from caxton.telemetry.export_status import ExportStatus, now_us, write_status
from caxton.telemetry.metrics import METERS, HistogramReading, Meter
from caxton.telemetry.otlp_settings import OtlpSettings, Signal, meter_interval_s, otlp_settings
from caxton.telemetry.pipeline import LogHandler, Readings
from caxton.telemetry.protobuf import Attribute
from caxton.telemetry.resource import resource_of

PAUSES_S: Final = (1.0, 2.0)
"""Between three tries."""
HURRY_S: Final = 2.0
_OWN: Final = "caxton.telemetry"

log = structlog.get_logger(_OWN)


class Sink:
    """One signal's collector, with its counts in a file; used by one thread at a time."""

    def __init__(self, settings: OtlpSettings, state: Path) -> None:
        self._signal: Signal = settings.signal
        self._collector = collector(settings)
        self._state = state
        self._status = ExportStatus.of(settings)
        self._closing = threading.Event()

    def send(self, request: bytes, many: int) -> bool:
        """Send a request with so many entries, three times at the most; whether it was taken."""
        answer = self._tried(request, many)
        for pause in PAUSES_S:
            if answer.verdict is not Verdict.LATER or self._closing.wait(answer.after_s or pause):
                break
            answer = self._tried(request, many)
        if answer.verdict is Verdict.LATER:
            self._status.given_up(many)
        try:
            write_status(self._state, self._signal, self._status)
        except OSError as error:
            log.warning("the status of the export cannot be written", reason=str(error))
        return answer.verdict is Verdict.ACCEPTED

    def _tried(self, request: bytes, many: int) -> Answer:
        answer, before = self._collector.send(request), self._status.trouble
        self._status.answered(answer, many)
        if answer.why and not before:
            log.warning("telemetry was not taken", signal=self._signal, reason=answer.why)
        return answer

    def hurry(self) -> None:
        """The daemon ends: one try more, and a short one."""
        self._closing.set()
        self._collector.hurry(HURRY_S)

    def close(self) -> None:
        """Hang up."""
        self._collector.close()


class _LogExporter(LogRecordExporter):
    def __init__(self, sink: Sink, resource: bytes) -> None:
        self._sink, self._resource = sink, resource

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        request = otlp.logs(self._resource, [_record(one).encoded() for one in batch])
        taken = self._sink.send(request, len(batch))
        return LogRecordExportResult.SUCCESS if taken else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        self._sink.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


class OtlpPipeline:
    """As `Pipeline`, to collectors. Raises ConfigurationError for settings that cannot be."""

    def __init__(
        self, project: str, instance: str, table: TelemetryTable, environ: Mapping[str, str], state: Path
    ) -> None:
        attributes = resource_of(project, instance, environ)
        self._resource = otlp.resource(attributes)
        self._since_us = now_us()
        logs = otlp_settings(table, "logs", environ)
        meters = otlp_settings(table, "metrics", environ)
        self.interval_s = meter_interval_s(table, environ)
        self._meters = None if meters is None else Sink(meters, state)
        self._logs: tuple[Sink, LoggerProvider, LogHandler] | None = None
        if logs is not None:
            sink = Sink(logs, state)
            provider = LoggerProvider(Resource(attributes), shutdown_on_exit=False)
            provider.add_log_record_processor(BatchLogRecordProcessor(_LogExporter(sink, self._resource)))
            # what the export says of itself must not make more to export
            handler = LogHandler(provider)
            handler.addFilter(lambda record: record.name != _OWN)
            logging.getLogger().addHandler(handler)
            self._logs = sink, provider, handler

    async def meters(self, read: Callable[[], Readings], interval_s: float) -> None:
        """Export what `read` says every `interval_s` seconds until cancelled, and once more then."""
        if self._meters is None:
            return
        try:
            while True:
                await asyncio.sleep(interval_s)
                await asyncio.to_thread(self._export, self._meters, read())
        finally:
            self._meters.hurry()
            self._export(self._meters, read())

    def close(self) -> None:
        """Export what waits, and nothing after it."""
        if self._logs is not None:
            sink, provider, handler = self._logs
            logging.getLogger().removeHandler(handler)
            sink.hurry()
            provider.shutdown()
        if self._meters is not None:
            self._meters.close()

    def _export(self, sink: Sink, readings: Readings) -> None:
        now = now_us()
        encoded = [_meter(meter, readings, self._since_us, now) for meter in METERS if meter.name in readings]
        sink.send(otlp.metrics(self._resource, encoded), len(encoded))


def _meter(meter: Meter, readings: Readings, since_us: int, now_us: int) -> bytes:
    reading = readings[meter.name]
    if isinstance(reading, HistogramReading):
        return otlp.histogram_meter(
            meter.name, meter.help, reading.bounds, reading.counts, reading.total, since_us, now_us
        )
    points: list[tuple[dict[str, Attribute], int | float]] = (
        [({str(meter.label): value}, number) for value, number in reading.items()]
        if isinstance(reading, Mapping)
        else [({}, reading)]
    )
    return otlp.number_meter(meter.name, meter.help, points, since_us, now_us, grows=meter.type == "counter")


def _record(readable: ReadableLogRecord) -> otlp.Record:
    record = readable.log_record
    return otlp.Record(
        at_ns=record.timestamp or 0,
        severity=record.severity_number.value if record.severity_number else 0,
        severity_text=record.severity_text or "",
        body=str(record.body),
        attributes={key: _attribute(value) for key, value in (record.attributes or {}).items()},
        trace_id=f"{record.trace_id:032x}" if record.trace_id else "",
        span_id=f"{record.span_id:016x}" if record.span_id else "",
    )


def _attribute(value: object) -> Attribute:
    return value if isinstance(value, str | bool | int | float) else str(value)
