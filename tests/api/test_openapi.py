"""The OpenAPI document, compared with the one that clients were written against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from api.process import Daemon

KNOWN: Any = json.loads(Path(__file__).with_name("openapi.json").read_text("utf-8"))


def test_the_document_is_the_one_that_clients_know(daemon: Daemon) -> None:
    transport = httpx.HTTPTransport(uds=str(daemon.socket))
    with httpx.Client(transport=transport, base_url="http://caxton", trust_env=False) as http:
        served: Any = http.get("/api/v1/openapi.json").json()
    assert served["paths"] == KNOWN["paths"]
    assert served["components"] == KNOWN["components"]
    assert served == KNOWN
