"""The OpenAPI document, compared with the one that clients were written against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import httpx

from api.process import Daemon

KNOWN: Any = json.loads(Path(__file__).with_name("openapi.json").read_text("utf-8"))


def in_order(value: Any) -> Any:
    """The same document with the names of required fields sorted: they are a set."""
    if isinstance(value, list):
        many: list[Any] = value
        return [in_order(one) for one in many]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {
        key: sorted(one) if key == "required" and isinstance(one, list) else in_order(one)
        for key, one in fields.items()
    }


def test_the_document_is_the_one_that_clients_know(daemon: Daemon) -> None:
    transport = httpx.HTTPTransport(uds=str(daemon.socket))
    with httpx.Client(transport=transport, base_url="http://caxton", trust_env=False) as http:
        served: Any = in_order(http.get("/api/v1/openapi.json").json())
    known = in_order(KNOWN)
    assert served["paths"] == known["paths"]
    assert served["components"] == known["components"]
    assert served == known
