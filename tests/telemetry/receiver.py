"""A collector for tests: takes OTLP over HTTP on loopback and decodes it with OpenTelemetry's own generated code."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

traces = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
metrics = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
logs = pytest.importorskip("opentelemetry.proto.collector.logs.v1.logs_service_pb2")

REQUESTS: dict[str, Any] = {
    "/v1/traces": traces.ExportTraceServiceRequest,
    "/v1/metrics": metrics.ExportMetricsServiceRequest,
    "/v1/logs": logs.ExportLogsServiceRequest,
}


class Receiver:
    """What came, decoded, and what is answered next: status, headers and body, then 200 again."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.requests: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []

    @property
    def spans(self) -> list[Any]:
        """Every span that came with status 200, in order."""
        return [
            span
            for request in self.requests
            if isinstance(request, traces.ExportTraceServiceRequest)
            for of_resource in request.resource_spans
            for scope in of_resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def receiving() -> Generator[Receiver]:
    """One that listens while this is open."""
    receiver: Receiver

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            status, headers, said = receiver.answers.pop(0) if receiver.answers else (200, {}, b"")
            receiver.headers.append({key.lower(): value for key, value in self.headers.items()})
            if status == 200:
                assert self.headers["content-type"] == "application/x-protobuf"
                receiver.requests.append(REQUESTS[self.path].FromString(body))
            self.send_response(status)
            for key, value in {**headers, "content-length": str(len(said))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(of: Any) -> dict[str, Any]:
    """OTLP's attributes as plain values."""
    return {pair.key: _plain(pair.value) for pair in of.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind)
