"""How every answer leaves: JSON that is made once, and refusals in one shape, whoever refuses.

In: Python values, or an error of Caxton, of the framework, or one that nobody expected. Out: a response. An
unexpected error gets a number that the log has too; its traceback stays in the log.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from caxton import exact_numbers
from caxton.access import redacted
from caxton.api.openapi import described
from caxton.errors import CaxtonError
from caxton.schemas.messages import ErrorBody
from caxton.schemas.shape import iso
from caxton.telemetry.logs import logger

_encode = exact_numbers.encode

_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "timed_out",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
}

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "int_parsing_size")

REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": described(ErrorBody), "description": "Refused: what, why, and what to do about it."},
    "5XX": {"model": described(ErrorBody), "description": "The daemon cannot do it now."},
}
"""The part of a route's OpenAPI description that every route shares."""


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """That value as JSON; structs, raw JSON and typed dictionaries alike."""
    return Response(_encode(body), status, headers, media_type="application/json")


def page(items: list[Any], following: int | str | None) -> Response:
    """One page of a list; `following` is the cursor of the next page, None at the end."""
    return answer({"items": items, "next": following})


def view_body(view: msgspec.Struct) -> dict[str, Any]:
    """A room's struct as plain data, its moments (`…_us` since 1970) as ISO times (`…_at`)."""
    body = cast("dict[str, Any]", exact_numbers.builtins(view))
    for key in ("created", "updated", "started", "retry"):
        if f"{key}_us" in body:
            us = body.pop(f"{key}_us")
            body[f"{key}_at"] = None if us is None else iso(us)
    return body


def refusal(
    status: int, code: str, message: str, hint: str | None = None, details: dict[str, Any] | None = None
) -> Response:
    """A refusal that comes from no error of Caxton's tree."""
    error = {"code": code, "message": message, "hint": hint, "details": details or {}}
    return _without_secrets({"error": error}, status)


def _without_secrets(body: object, status: int) -> Response:
    """What a request had in it is often in its refusal, and a refusal is often kept somewhere."""
    return Response(redacted(_encode(body).decode()), status, media_type="application/json")


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a connection that is one too many."""
    refused = refusal(503, "busy", "too many requests are in progress", "try again in a second")
    refused.headers.update({"Retry-After": "1", "Connection": "close"})
    await refused(scope, receive, send)


def install(app: FastAPI) -> None:
    """Give every error of this app the same shape; a handler that is not async would wait for a thread."""
    app.add_exception_handler(CaxtonError, _ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def refused(error: CaxtonError) -> Response:
    """A refusal that is an error of Caxton's tree."""
    response = _without_secrets(error.body(), error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def _ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, CaxtonError)
    return refused(error)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "http_error")
    if error.status_code == 404:
        message, hint = f"there is nothing at {request.url.path[:200]}", "see /api/v1/openapi.json"
    elif error.status_code == 405:
        message = f"{request.method[:20]} is not possible at {request.url.path[:200]}"
        hint = "see /api/v1/openapi.json"
    else:
        message, hint = str(error.detail), None
    refused = refusal(error.status_code, code, message, hint)
    if error.status_code == 405:
        # the framework names those of the first route at that path only
        refused.headers["Allow"] = ", ".join(_methods_at(request))
    return refused


def _methods_at(request: Request) -> list[str]:
    """What is possible at the path of a request."""
    routes: list[BaseRoute] = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]


async def _of_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:20]
    problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in found]
    out_of_range = all(item["loc"][0] == "query" and item["type"] in _OUT_OF_RANGE for item in found)
    status = 400 if out_of_range else 422
    return refusal(status, _CODES[status], problems[0], details={"problems": problems})


async def _gone(_: Request, __: Exception) -> Response:
    """The client hung up before its body was complete: nobody reads this, and it is no news for the log."""
    return refusal(400, "bad_request", "the body is not complete")


async def _unexpected(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    logger("api").error(
        "unexpected error", number=number, method=request.method, path=request.url.path, exc_info=error
    )
    return refusal(
        500,
        "internal_error",
        "something went wrong inside the daemon",
        f"the daemon's log has it under {number}",
        {"number": number},
    )
