"""Whether an answer is what its route says in the OpenAPI document: the shape of that name, field by field.

The daemon writes answers as it reads rows, without a shape between, since a page of rows costs half as much so. That
both say the same is held here: an answer read into its shape and written again is the same JSON. A field that the shape
does not have, one that it lacks, another type, a time in another form: each is a difference.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest

from caxton import schemas
from caxton.schemas.shape import Shape, decoder, plain

DOCUMENT = Path(__file__).parent / "api" / "openapi.json"
ENOUGH = 200
"""Answers of one route that are compared in one process."""


_compared: Counter[type[Shape]] = Counter()


@contextmanager
def compared() -> Generator[None]:
    """Compare what clients in this process read whole meanwhile."""
    send, send_async = httpx.Client.send, httpx.AsyncClient.send

    def sent(client: httpx.Client, *given: Any, **options: Any) -> httpx.Response:
        response = send(client, *given, **options)
        compare(response)
        return response

    async def sent_async(client: httpx.AsyncClient, *given: Any, **options: Any) -> httpx.Response:
        response = await send_async(client, *given, **options)
        compare(response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", sent)
        patch.setattr(httpx.AsyncClient, "send", sent_async)
        yield


def compare(response: httpx.Response) -> None:
    """Raises AssertionError where an answer is not what its route says."""
    request = response.request
    kind = shape_of(request.method, request.url.path, response.status_code)
    if kind is None or not response.is_closed or _compared[kind] >= ENOUGH:
        return
    _compared[kind] += 1
    said = json.loads(response.content, parse_float=str)
    again = json.loads(
        json.dumps(plain(decoder(kind).decode(response.content)), default=str), parse_float=str
    )
    assert again == said, f"{request.method} {request.url.path} is no {kind.__name__}"


def shape_of(method: str, path: str, status: int) -> type[Shape] | None:
    """What a route says that it answers; None where that is no JSON, or a path that there is not."""
    said = (str(status), "error") if status >= 400 else (str(status),)
    for kind in said:
        for pattern, name in _routes().get((method, kind), ()):
            if pattern.fullmatch(path):
                return _shapes()[name]
    return None


@cache
def _routes() -> dict[tuple[str, str], list[tuple[re.Pattern[str], str]]]:
    """Shapes by method and status, with the paths that answer with them: what has most fixed parts comes first."""
    found: dict[tuple[str, str], list[tuple[re.Pattern[str], str]]] = {}
    paths: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
    for path in sorted(paths, key=lambda one: -len(re.sub(r"\{.*?\}", "", one))):
        for method, route in paths[path].items():
            for status, answer in route["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
                if "$ref" in schema:
                    kind = "error" if status in ("4XX", "5XX") else status
                    pattern = re.compile(re.sub(r"\\\{.*?\\\}", ".+", re.escape(path)))
                    found.setdefault((method.upper(), kind), []).append(
                        (pattern, schema["$ref"].rsplit("/", 1)[1])
                    )
    return found


@cache
def _shapes() -> dict[str, type[Shape]]:
    modules = [import_module(f"{schemas.__name__}.{one.name}") for one in iter_modules(schemas.__path__)]
    found = [value for module in modules for value in vars(module).values()]
    return {one.__name__: one for one in found if isinstance(one, type) and issubclass(one, Shape)}
