"""Requests as OpenTelemetry's own code reads them, where they go, and what the environment says about that."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caxton.config.tables import TelemetryTable
from caxton.errors import ConfigurationError
from caxton.telemetry import logs, otlp, protobuf
from caxton.telemetry.collector import Verdict, collector
from caxton.telemetry.export_status import read_status
from caxton.telemetry.metrics import METERS, Reading
from caxton.telemetry.otlp_pipeline import OtlpPipeline
from caxton.telemetry.otlp_settings import SIGNALS, Signal, meter_interval_s, otlp_settings, sampling
from caxton.telemetry.row_meters import BOUNDS, Histogram

from .receiver import attributes, receiving, traces

HEX = "0123456789abcdef"
words = st.text(max_size=20)
values = st.one_of(
    words,
    st.text(min_size=100, max_size=200),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(words, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(HEX, min_size=32, max_size=32),
    st.text(HEX, min_size=16, max_size=16),
    st.sampled_from(["", "00f067aa0ba902b7"]),
    words,
    st.integers(0, 2**53),
    st.dictionaries(words, values, max_size=8),
    st.none() | words,
)
def test_a_span_is_read_as_it_was_written(
    trace: str,
    span: str,
    parent: str,
    name: str,
    at_us: int,
    given_attributes: dict[str, protobuf.Attribute],
    error: str | None,
) -> None:
    one = otlp.Span(trace, span, parent, name, otlp.Kind.CONSUMER, at_us, at_us + 5, given_attributes, error)
    request = traces.ExportTraceServiceRequest.FromString(
        otlp.traces(otlp.resource({"service.name": "x"}), [one.encoded()])
    )
    (of_resource,) = request.resource_spans
    assert attributes(of_resource.resource) == {"service.name": "x"}
    (scope,) = of_resource.scope_spans
    assert (scope.scope.name, scope.schema_url) == ("caxton", "https://opentelemetry.io/schemas/1.44.0")
    (read,) = scope.spans
    assert (read.trace_id.hex(), read.span_id.hex(), read.parent_span_id.hex()) == (trace, span, parent)
    assert (read.name, read.kind, read.flags) == (name, 5, 1)
    assert (read.start_time_unix_nano, read.end_time_unix_nano) == (at_us * 1000, (at_us + 5) * 1000)
    assert attributes(read) == given_attributes
    assert (read.status.code, read.status.message) == ((0, "") if error is None else (2, error))


@given(st.binary(max_size=40))
def test_no_answer_of_a_collector_does_harm(answer: bytes) -> None:
    try:
        otlp.partial_success(answer)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, ("http/protobuf", "http://localhost:4318/v1/traces", True, 10.0)),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.example/otlp/",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            },
            ("http/protobuf", "https://c.example/otlp/v1/traces", False, 10.0),
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/x", "OTEL_EXPORTER_OTLP_TIMEOUT": "2500"},
            ("http/protobuf", "http://c:1/x", True, 2.5),
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ("grpc", "http://localhost:4317", True, 10.0)),
    ],
)
def test_the_standard_variables_win(environ: dict[str, str], wanted: tuple[object, ...]) -> None:
    found = otlp_settings(TelemetryTable(), "traces", environ)
    assert found is not None
    assert (found.protocol, found.endpoint, found.gzip, found.timeout_s) == wanted


def test_signals_are_switched_off_one_by_one_or_all() -> None:
    for environ, left in (
        ({"OTEL_LOGS_EXPORTER": "none"}, ["traces", "metrics"]),
        ({"OTEL_SDK_DISABLED": "true"}, []),
    ):
        assert [one for one in SIGNALS if otlp_settings(TelemetryTable(), one, environ)] == left


def test_headers_are_decoded_and_passwords_are_not_shown() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_HEADERS": "Api-Key=a%20b, tenant=market",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:secret@c:4318?key=secret",
    }
    found = otlp_settings(TelemetryTable(), "logs", environ)
    assert found is not None
    assert found.headers == {"api-key": "a b", "tenant": "market"}
    assert found.shown.startswith("http://c:4318")
    assert "secret" not in found.shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:99999"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "nothing"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name: str, value: str) -> None:
    table, environ = TelemetryTable(), {name: value}
    with pytest.raises(ConfigurationError, match=name):
        (otlp_settings(table, "traces", environ), sampling(table, environ), meter_interval_s(table, environ))


def test_the_sampler_is_the_sdks() -> None:
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    for ratio in (0.0, 0.01, 0.5, 1.0):
        environ = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": str(ratio)}
        assert sampling(TelemetryTable(), environ).bound() == TraceIdRatioBased(ratio).bound


@pytest.fixture
def root() -> Generator[None]:
    """The process's own logging, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield
    logger.handlers, logger.level = handlers, level
    structlog.reset_defaults()


def readings() -> dict[str, Reading]:
    histogram = Histogram()
    histogram.add([10, 20_000], 20_010)
    return {
        meter.name: histogram.reading()
        if meter.type == "histogram"
        else {"a": 1, "b": 2.5}
        if meter.label
        else 3
        for meter in METERS
    }


async def test_log_records_and_meters_arrive(root: None, tmp_path: Path) -> None:
    logs.configure("text", "info", io.StringIO())
    with receiving() as receiver:
        table = TelemetryTable(endpoint=receiver.endpoint)
        pipeline = OtlpPipeline("market", "i-1", table, {"OTEL_SERVICE_NAME": "floor"}, tmp_path)
        with logs.traced("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"):
            logs.logger("bus").warning("turn failed", agent="echo@local", fuel=3)
        task = asyncio.create_task(pipeline.meters(readings, 3600))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        pipeline.close()
    by_kind = {type(one).__name__: one for one in receiver.requests}
    (of_resource,) = by_kind["ExportLogsServiceRequest"].resource_logs
    (record,) = of_resource.scope_logs[0].log_records
    assert (record.body.string_value, record.severity_text, record.severity_number) == (
        "turn failed",
        "WARNING",
        13,
    )
    assert attributes(record) == {"agent": "echo@local", "fuel": 3}
    assert (record.trace_id.hex(), record.span_id.hex()) == (
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
    )
    (of_resource,) = by_kind["ExportMetricsServiceRequest"].resource_metrics
    said = attributes(of_resource.resource)
    assert (said["service.name"], said["service.namespace"], said["service.instance.id"]) == (
        "floor",
        "market",
        "i-1",
    )
    found = {one.name: one for one in of_resource.scope_metrics[0].metrics}
    assert list(found) == [meter.name for meter in METERS]
    for meter in METERS:
        one = found[meter.name]
        assert one.description == meter.help
        if meter.type == "histogram":
            (point,) = one.histogram.data_points
            assert (point.count, point.sum, list(point.explicit_bounds)) == (2, 0.02001, list(BOUNDS))
            assert (sum(point.bucket_counts), len(point.bucket_counts)) == (2, len(BOUNDS) + 1)
            continue
        kind = one.sum if meter.type == "counter" else one.gauge
        assert meter.type == "gauge" or (one.sum.is_monotonic and one.sum.aggregation_temporality == 2)
        points = {tuple(attributes(p).items()): getattr(p, p.WhichOneof("value")) for p in kind.data_points}
        assert points == ({((meter.label, "a"),): 1, ((meter.label, "b"),): 2.5} if meter.label else {(): 3})
    wanted: dict[Signal, int] = {"logs": 1, "metrics": len(METERS)}
    for signal, many in wanted.items():
        status = read_status(tmp_path, signal)
        assert status is not None
        assert (status.counts.accepted, status.trouble) == (many, "")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_collector_that_is_not_there_is_tried_later(protocol: str) -> None:
    if protocol == "grpc":
        pytest.importorskip("grpc")
    signal: Signal = "traces"
    environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_TIMEOUT": "500"}
    settings = otlp_settings(TelemetryTable(endpoint="http://127.0.0.1:9"), signal, environ)
    assert settings is not None
    sink = collector(settings)
    answer = sink.send(b"")
    sink.close()
    assert answer.verdict is Verdict.LATER
    assert answer.why


def test_grpc_carries_the_same_bytes_and_its_codes_say_what_to_do() -> None:
    grpc = pytest.importorskip("grpc")
    came: list[tuple[str, bytes, dict[str, str]]] = []
    codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED, None]

    class Service:
        def service(self, call: Any) -> Any:
            def export(request: bytes, context: Any) -> bytes:
                came.append((call.method, request, dict(context.invocation_metadata())))
                if code := codes[len(came) - 1]:
                    context.abort(code, "why")
                # one of them was not taken
                return b"\x0a\x02\x08\x01"

            return grpc.unary_unary_rpc_method_handler(export)

    with ThreadPoolExecutor(1) as threads:
        server = grpc.server(threads, handlers=[Service()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        environ = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=k"}
        table = TelemetryTable(endpoint=f"http://127.0.0.1:{port}", protocol="grpc")
        settings = otlp_settings(table, "logs", environ)
        assert settings is not None
        sink = collector(settings)
        answers = [sink.send(b"request") for _ in codes]
        sink.close()
        server.stop(None).wait()
    assert [(one.verdict, one.why, one.rejected) for one in answers] == [
        (Verdict.LATER, "UNAVAILABLE: why", 0),
        (Verdict.REFUSED, "UNAUTHENTICATED: why", 0),
        (Verdict.ACCEPTED, "", 1),
    ]
    method, request, metadata = came[-1]
    assert (method, request) == ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", b"request")
    assert metadata["api-key"] == "k"
