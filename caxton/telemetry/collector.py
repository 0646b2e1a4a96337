"""One way to a collector: OTLP over HTTP or gRPC.

In: the bytes of an export request. Out: an `Answer`: taken (all of it or a part), to be tried again, or refused for
good, as OTLP's specification divides its status codes. Calls block; one connection is kept.
"""

from __future__ import annotations

import gzip
import http.client
import importlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from caxton import __version__
from caxton.errors import ConfigurationError
from caxton.telemetry import protobuf
from caxton.telemetry.otlp import partial_success
from caxton.telemetry.otlp_settings import OtlpSettings

_AGAIN: Final = frozenset({429, 502, 503, 504})
_LARGEST_ANSWER: Final = 64 * 1024
_SERVICES: Final = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_GRPC_AGAIN: Final = frozenset(
    {
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
        "RESOURCE_EXHAUSTED",
    }
)


class Verdict(StrEnum):
    """What became of a request."""

    ACCEPTED = "accepted"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a collector said. `rejected` entries of an accepted request were not taken; `after_s` is when to come again,
    where it said so."""

    verdict: Verdict
    why: str = ""
    rejected: int = 0
    after_s: float | None = None


class Collector(Protocol):
    """Where requests of one signal go."""

    def send(self, request: bytes) -> Answer:
        """Send one and wait for the answer; never raises for what a network does."""
        ...

    def hurry(self, timeout_s: float) -> None:
        """From now on wait so long at the most: the end is near."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


def collector(settings: OtlpSettings) -> Collector:
    """The collector of these settings; nothing is connected yet. Raises ConfigurationError for certificates that cannot
    be read, and where gRPC is asked for and not installed."""
    return GrpcCollector(settings) if settings.protocol == "grpc" else HttpCollector(settings)


class HttpCollector:
    """OTLP/HTTP with protobuf."""

    def __init__(self, settings: OtlpSettings) -> None:
        self._settings = settings
        parts = urlsplit(settings.endpoint)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host, port = parts.hostname or "", parts.port
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=settings.timeout_s, context=_tls(settings))
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=settings.timeout_s)
        )
        self._headers = {
            "content-type": "application/x-protobuf",
            "user-agent": f"caxton/{__version__}",
            **({"content-encoding": "gzip"} if settings.gzip else {}),
            **settings.headers,
        }

    def send(self, request: bytes) -> Answer:
        """POST it."""
        body = gzip.compress(request, 1) if self._settings.gzip else request
        try:
            kept = self._connection.sock is not None
            try:
                status, headers, said = self._post(body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not kept:
                    raise
                # it hung up while nothing was sent
                self._connection.close()
                status, headers, said = self._post(body)
        except (OSError, http.client.HTTPException) as trouble:
            self._connection.close()
            return Answer(Verdict.LATER, _words(trouble))
        return _http_answer(status, headers, said)

    def hurry(self, timeout_s: float) -> None:
        """From now on wait so long at the most."""
        self._connection.timeout = min(timeout_s, self._settings.timeout_s)
        self._connection.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _post(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        self._connection.request("POST", self._path, body, self._headers)
        with self._connection.getresponse() as response:
            said = response.read(_LARGEST_ANSWER)
            if response.length:
                self._connection.close()
            return response.status, response.headers, said


class GrpcCollector:
    """OTLP/gRPC, by the package `grpcio`; requests are bytes already, so it needs no generated code."""

    def __init__(self, settings: OtlpSettings) -> None:
        try:
            grpc: Any = importlib.import_module("grpc")
        except ModuleNotFoundError as missing:
            raise ConfigurationError(
                "telemetry.protocol is grpc, and the package grpcio is not installed",
                hint="pip install 'caxton-workbench[grpc]', or use http/protobuf",
            ) from missing
        parts = urlsplit(settings.endpoint)
        target = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        options = [("grpc.primary_user_agent", f"caxton/{__version__}")]
        if parts.scheme == "https":
            pem = [
                _file(one) for one in (settings.certificate, settings.client_key, settings.client_certificate)
            ]
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(*pem), options)
        else:
            self._channel = grpc.insecure_channel(target, options)
        self._call = self._channel.unary_unary(_SERVICES[settings.signal])
        self._compression = grpc.Compression.Gzip if settings.gzip else grpc.Compression.NoCompression
        self._error: type[Exception] = grpc.RpcError
        self._headers = list(settings.headers.items())
        self._timeout_s = settings.timeout_s

    def send(self, request: bytes) -> Answer:
        """Call Export with it."""
        try:
            said: bytes = self._call(
                request,
                timeout=self._timeout_s,
                metadata=self._headers,
                compression=self._compression,
            )
        except self._error as error:
            code, details = _grpc_status(error)
            return Answer(Verdict.LATER if code in _GRPC_AGAIN else Verdict.REFUSED, f"{code}: {details}")
        return _accepted(said)

    def hurry(self, timeout_s: float) -> None:
        """From now on wait so long at the most."""
        self._timeout_s = min(timeout_s, self._timeout_s)

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


def _grpc_status(error: Any) -> tuple[str, str]:
    return str(error.code().name), str(error.details())[:300]


def _http_answer(status: int, headers: http.client.HTTPMessage, said: bytes) -> Answer:
    if 200 <= status < 300:
        return _accepted(said)
    why = f"HTTP {status}"
    if words := _status_message(said):
        why += f": {words}"
    if status in _AGAIN:
        return Answer(Verdict.LATER, why, after_s=_after(headers.get("retry-after")))
    return Answer(Verdict.REFUSED, why)


def _accepted(said: bytes) -> Answer:
    try:
        rejected, why = partial_success(said)
    except ValueError:
        # it took the request, whatever it says: some answer in JSON
        rejected, why = 0, ""
    return Answer(Verdict.ACCEPTED, why[:300], rejected)


def _status_message(said: bytes) -> str:
    """What an answer says of itself: google.rpc.Status, else text."""
    try:
        message = protobuf.fields(said).get(2)
    except ValueError:
        message = None
    text = (message if isinstance(message, bytes) else said).decode("utf-8", "replace")
    return " ".join(text.split())[:300] if text.isprintable() or "\n" in text else ""


def _after(raw: str | None) -> float | None:
    """Retry-After: seconds, or a date."""
    if raw is None:
        return None
    if raw.strip().isdigit():
        return float(raw)
    try:
        return max(0.0, (parsedate_to_datetime(raw) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _tls(settings: OtlpSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.certificate)
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate, settings.client_key)
    except OSError as error:
        raise ConfigurationError(
            f"the certificates for {settings.shown} cannot be used: {error}",
            hint="look at OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY",
        ) from error
    return context


def _file(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", hint="look at OTEL_EXPORTER_OTLP_…"
        ) from error


def _words(trouble: Exception) -> str:
    return (str(trouble) or type(trouble).__name__)[:300]
