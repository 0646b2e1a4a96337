"""Who exports, as OpenTelemetry's resource."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from caxton import __version__
from caxton.telemetry.protobuf import Attribute

SERVICE: Final = "caxton"


def resource_of(project: str, instance: str, environ: Mapping[str, str]) -> dict[str, Attribute]:
    """This start of the daemon of that project. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win."""
    own: dict[str, Attribute] = {
        "service.name": SERVICE,
        "service.namespace": project,
        "service.version": __version__,
        "service.instance.id": instance,
        "host.name": socket.gethostname(),
        "host.arch": platform.machine(),
        "process.pid": os.getpid(),
    }
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, equals, value = pair.partition("=")
        if equals and key.strip():
            own[key.strip()] = unquote(value.strip())
    if name := environ.get("OTEL_SERVICE_NAME", "").strip():
        own["service.name"] = name
    return own
