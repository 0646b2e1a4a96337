"""Where telemetry goes: `[telemetry]` of caxton.toml, and over it the standard OTEL_* variables.

In: the configuration and the environment. Out: one frozen value for each signal, or ConfigurationError naming the
variable, the rule and the remedy. The names are those of OpenTelemetry's "OTLP exporter" and "SDK environment
variables" specifications.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from caxton.config.tables import TelemetryTable
from caxton.errors import ConfigurationError

Protocol = Literal["http/protobuf", "grpc"]
_PROTOCOLS: Final[dict[str, Protocol]] = {"http/protobuf": "http/protobuf", "grpc": "grpc"}
SIGNALS: Final = ("traces", "metrics", "logs")
Signal = Literal["traces", "metrics", "logs"]
_PORTS: Final[dict[Protocol, int]] = {"http/protobuf": 4318, "grpc": 4317}
_GENERAL: Final = "OTEL_EXPORTER_OTLP_"


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """How one signal is sent. `headers` may hold keys and is never shown."""

    signal: Signal
    protocol: Protocol
    endpoint: str
    headers: Mapping[str, str]
    gzip: bool
    timeout_s: float
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    @property
    def shown(self) -> str:
        """The endpoint without what may stand in it for a password."""
        parts = urlsplit(self.endpoint)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which spans are kept: a share of all traces by their ids, and whatever failed or was slow."""

    ratio: float
    slow_us: int

    def bound(self) -> int:
        """Traces are kept whose last 16 hex digits are a number below this: as TraceIdRatioBased of the SDK does it."""
        return round(self.ratio * (1 << 64))


def otlp_settings(table: TelemetryTable, signal: Signal, environ: Mapping[str, str]) -> OtlpSettings | None:
    """How that signal is sent; None where the environment switches it off."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    exporter = environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip() or "otlp"
    if exporter == "none":
        return None
    if exporter != "otlp":
        raise _refused(f"OTEL_{signal.upper()}_EXPORTER", exporter, "otlp or none")

    def said(what: str) -> str | None:
        for name in (f"{_GENERAL}{signal.upper()}_{what}", f"{_GENERAL}{what}"):
            if value := environ.get(name, "").strip():
                return value
        return None

    named = said("PROTOCOL") or table.protocol
    protocol = _PROTOCOLS.get(named)
    if protocol is None:
        raise _refused(f"{_GENERAL}PROTOCOL", named, "http/protobuf or grpc")
    compression = said("COMPRESSION") or "gzip"
    if compression not in {"gzip", "none"}:
        raise _refused(f"{_GENERAL}COMPRESSION", compression, "gzip or none")
    return OtlpSettings(
        signal=signal,
        protocol=protocol,
        endpoint=_endpoint(table, signal, protocol, environ),
        headers=_headers(said("HEADERS") or ""),
        gzip=compression == "gzip",
        timeout_s=_milliseconds(f"{_GENERAL}TIMEOUT", said("TIMEOUT"), 10.0),
        certificate=said("CERTIFICATE"),
        client_certificate=said("CLIENT_CERTIFICATE"),
        client_key=said("CLIENT_KEY"),
    )


def sampling(table: TelemetryTable, environ: Mapping[str, str]) -> Sampling:
    """Which spans are kept. OTEL_TRACES_SAMPLER and _ARG win over `telemetry.sample`."""
    ratio = table.sample
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().removeprefix("parentbased_")
    match name:
        case "":
            pass
        case "always_on":
            ratio = 1.0
        case "always_off":
            ratio = 0.0
        case "traceidratio":
            raw = environ.get("OTEL_TRACES_SAMPLER_ARG", "1").strip()
            try:
                ratio = float(raw)
            except ValueError:
                ratio = -1.0
            if not 0 <= ratio <= 1:
                raise _refused("OTEL_TRACES_SAMPLER_ARG", raw, "a number from 0 to 1")
        case _:
            raise _refused(
                "OTEL_TRACES_SAMPLER",
                name,
                "always_on, always_off or traceidratio, or one of them parentbased_",
            )
    return Sampling(ratio, int(table.slow_s * 1_000_000))


def meter_interval_s(table: TelemetryTable, environ: Mapping[str, str]) -> float:
    """Time between two exports of the meters; OTEL_METRIC_EXPORT_INTERVAL, in milliseconds, wins."""
    name = "OTEL_METRIC_EXPORT_INTERVAL"
    return _milliseconds(name, environ.get(name, "").strip() or None, table.interval_s)


def _endpoint(table: TelemetryTable, signal: Signal, protocol: Protocol, environ: Mapping[str, str]) -> str:
    own, general = f"{_GENERAL}{signal.upper()}_ENDPOINT", f"{_GENERAL}ENDPOINT"
    name, given = next(
        ((name, environ[name].strip()) for name in (own, general) if environ.get(name, "").strip()),
        ("telemetry.endpoint", table.endpoint or f"http://localhost:{_PORTS[protocol]}"),
    )
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _refused(name, given, "a URL such as http://localhost:4318")
    if protocol == "http/protobuf" and name != own:
        # one for all signals is where their paths begin; one for a signal is taken as it is
        return f"{given.rstrip('/')}/v1/{signal}"
    return given


def _headers(raw: str) -> dict[str, str]:
    """`key=value` pairs with commas between them, percent-encoded (W3C Baggage)."""
    found: dict[str, str] = {}
    for pair in filter(None, (one.strip() for one in raw.split(","))):
        key, equals, value = pair.partition("=")
        key, value = unquote(key.strip()).lower(), unquote(value.strip())
        if not equals or not key or not (key + value).isprintable():
            # the pair itself may be a key of somebody's
            raise ConfigurationError(
                f"the environment's {_GENERAL}HEADERS has a part that is no KEY=VALUE",
                hint="e.g. OTEL_EXPORTER_OTLP_HEADERS=api-key=…,tenant=market",
            )
        found[key] = value
    return found


def _milliseconds(name: str, raw: str | None, default: float) -> float:
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or not 0 < int(raw) <= 86_400_000:
        raise _refused(name, raw, "whole milliseconds from 1 to 86400000")
    return int(raw) / 1000


def _refused(name: str, value: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {value[:200]!r}", hint=f"it takes {allowed}")
