"""OTLP's requests as bytes (opentelemetry-proto 1.9): spans, log records, meters.

In: values of ours. Out: the body of an export request, and what a collector's answer says. Times are microseconds since
1970 in, nanoseconds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

import msgspec

from caxton.telemetry import protobuf as pb
from caxton.telemetry.semantic_conventions import SCHEMA_URL, SCOPE


class Kind(IntEnum):
    """What a span stands for."""

    INTERNAL = 1
    PRODUCER = 4
    CONSUMER = 5


class Span(msgspec.Struct, frozen=True):
    """One span. Ids are hex digits; `parent` is empty for a root, `error` None where all is well."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    kind: Kind
    start_us: int
    end_us: int
    attributes: Mapping[str, pb.Attribute]
    error: str | None = None

    def encoded(self) -> bytes:
        """As OTLP's Span."""
        parts = [
            pb.data(1, bytes.fromhex(self.trace_id)),
            pb.data(2, bytes.fromhex(self.span_id)),
            pb.text(5, self.name),
            pb.whole(6, self.kind),
            pb.fixed64(7, self.start_us * 1000),
            pb.fixed64(8, self.end_us * 1000),
            pb.attributes(9, self.attributes),
            # sampled
            pb.fixed32(16, 1),
        ]
        if self.parent:
            parts.append(pb.data(4, bytes.fromhex(self.parent)))
        if self.error is not None:
            parts.append(pb.data(15, pb.text(2, self.error) + pb.whole(3, 2)))
        return b"".join(parts)


class Record(msgspec.Struct, frozen=True):
    """One log record; ids as in a span, empty without one."""

    at_ns: int
    severity: int
    severity_text: str
    body: str
    attributes: Mapping[str, pb.Attribute]
    trace_id: str = ""
    span_id: str = ""

    def encoded(self) -> bytes:
        """As OTLP's LogRecord."""
        parts = [
            pb.fixed64(1, self.at_ns),
            pb.whole(2, self.severity),
            pb.text(3, self.severity_text),
            pb.data(5, pb.any_value(self.body)),
            pb.attributes(6, self.attributes),
            pb.fixed64(11, self.at_ns),
        ]
        if self.trace_id and self.span_id:
            parts += [pb.data(9, bytes.fromhex(self.trace_id)), pb.data(10, bytes.fromhex(self.span_id))]
        return b"".join(parts)


def resource(attributes: Mapping[str, pb.Attribute]) -> bytes:
    """Who exports, as OTLP's Resource."""
    return pb.attributes(1, attributes)


def traces(resource: bytes, spans: Iterable[bytes]) -> bytes:
    """An ExportTraceServiceRequest."""
    return _request(resource, spans)


def logs(resource: bytes, records: Iterable[bytes]) -> bytes:
    """An ExportLogsServiceRequest."""
    return _request(resource, records)


def metrics(resource: bytes, meters: Iterable[bytes]) -> bytes:
    """An ExportMetricsServiceRequest."""
    return _request(resource, meters)


def _request(resource: bytes, entries: Iterable[bytes]) -> bytes:
    """What the three have in common: one resource, one scope, entries."""
    scope = b"".join([pb.data(1, pb.text(1, SCOPE)), *(pb.data(2, one) for one in entries)])
    return pb.data(
        1, pb.data(1, resource) + pb.data(2, scope + pb.text(3, SCHEMA_URL)) + pb.text(3, SCHEMA_URL)
    )


def number_meter(
    name: str,
    help: str,
    points: Iterable[tuple[Mapping[str, pb.Attribute], int | float]],
    since_us: int,
    now_us: int,
    *,
    grows: bool,
) -> bytes:
    """A counter (`grows`) or a gauge, with a point for each set of attributes."""
    encoded = b"".join(
        pb.data(
            1,
            pb.attributes(7, attributes)
            + (pb.fixed64(2, since_us * 1000) if grows else b"")
            + pb.fixed64(3, now_us * 1000)
            + (pb.double(4, number) if isinstance(number, float) else pb.signed64(6, number)),
        )
        for attributes, number in points
    )
    # cumulative, as in Prometheus
    kind = pb.data(7, encoded + pb.whole(2, 2) + pb.whole(3, 1)) if grows else pb.data(5, encoded)
    return pb.text(1, name) + pb.text(2, help) + kind


def histogram_meter(
    name: str,
    help: str,
    bounds: Sequence[float],
    counts: Sequence[int],
    total: float,
    since_us: int,
    now_us: int,
) -> bytes:
    """A histogram in seconds; `counts` has one number more than `bounds`, none of them cumulative."""
    point = (
        pb.fixed64(2, since_us * 1000)
        + pb.fixed64(3, now_us * 1000)
        + pb.fixed64(4, sum(counts))
        + pb.double(5, total)
        + pb.packed(6, "Q", counts)
        + pb.packed(7, "d", bounds)
    )
    return (
        pb.text(1, name) + pb.text(2, help) + pb.text(3, "s") + pb.data(9, pb.data(1, point) + pb.whole(2, 2))
    )


def partial_success(answer: bytes) -> tuple[int, str]:
    """How many entries a collector did not take, and why; ValueError where the answer is no such message."""
    partial = pb.fields(answer).get(1, b"")
    if not isinstance(partial, bytes):
        raise ValueError("it is no answer to an export")
    said = pb.fields(partial)
    many, why = said.get(1, 0), said.get(2, b"")
    return (many if isinstance(many, int) else 0), (
        why.decode("utf-8", "replace") if isinstance(why, bytes) else ""
    )
