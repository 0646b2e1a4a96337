"""Every operation of `caxton.v1`, by the route that its description names, and the health of the daemon.

In: calls. Out: answers. Nothing here names an operation: one that is in the proto is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from caxton.errors import CaxtonError, TimedOut, Unreachable
from caxton.gateways.grpc.daemon import Caller, Daemon
from caxton.gateways.grpc.messages import fill, json_of
from caxton.gateways.grpc.refusals import Context, refuse
from caxton.v1 import caxton_pb2

PARTS: Final = ("agents", "journal", "cells")
"""Of the daemon, as `GET /ready` names them."""
HEALTH_S: Final = 2.0
"""How often who watches the health is told, where it has changed."""


def services() -> list[str]:
    """The full names of all services."""
    return [one.full_name for one in caxton_pb2.DESCRIPTOR.services_by_name.values()]


def handlers(daemon: Daemon) -> list[grpc.GenericRpcHandler]:
    """What serves them."""
    return [
        grpc.method_handlers_generic_handler(
            service.full_name, {method.name: _handler(daemon, method) for method in service.methods}
        )
        for service in caxton_pb2.DESCRIPTOR.services_by_name.values()
    ]


def rest_of(method: MethodDescriptor) -> str:
    """The route that does the same."""
    return str(method.GetOptions().Extensions[caxton_pb2.rest])


def caller_of(context: Context) -> Caller:
    """Who calls: by the socket without a credential it is the owner."""
    metadata = dict(context.invocation_metadata() or ())
    said = metadata.get("authorization")
    credential = said.decode("latin-1") if isinstance(said, bytes) else said
    kind, _, address = context.peer().partition(":")
    if kind == "unix":
        return Caller(None if credential is None else "unix", credential)
    names = context.auth_context().get("x509_common_name", [])
    subject = names[0].decode() if names else ""
    return Caller(
        address.rpartition(":")[0].strip("[]").replace("%5B", "").replace("%5D", ""), credential, subject
    )


def _handler(daemon: Daemon, method: MethodDescriptor) -> Any:
    make = (
        grpc.unary_stream_rpc_method_handler
        if method.server_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    serve: Callable[..., Any] = _events if method.server_streaming else _answer
    return make(
        partial(serve, daemon, rest_of(method), GetMessageClass(method.output_type)),
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=GetMessageClass(method.output_type).SerializeToString,
    )


async def _answer(
    daemon: Daemon, rest: str, kind: type[Message], request: Message, context: Context
) -> Message:
    answer = kind()
    try:
        body, revision = await daemon.ask(rest, json_of(request), caller_of(context))
    except CaxtonError as error:
        await refuse(context, error)
    else:
        fill(answer, body)
        if revision is not None:
            context.set_trailing_metadata((("etag", revision),))
    return answer


async def _events(
    daemon: Daemon, rest: str, kind: type[Message], request: Message, context: Context
) -> AsyncIterator[Message]:
    try:
        async for event in daemon.events(rest, json_of(request), caller_of(context)):
            said = kind()
            fill(said, {"seq": event.seq, "kind": event.kind, "data": event.data})
            yield said
    except CaxtonError as error:
        await refuse(context, error)


class Health:
    """`grpc.health.v1`: the daemon under the empty name, which needs no credential, and each part of `GET /ready`."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> Any:
        """How one of them is."""
        return health_pb2.HealthCheckResponse(status=await self._status(request.service, context))

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> Any:
        """The same, and again when it changes."""
        before = None
        while True:
            now = await self._status(request.service, context)
            if now != before:
                yield health_pb2.HealthCheckResponse(status=now)
            before = now
            await asyncio.sleep(HEALTH_S)

    async def List(self, request: Any, context: Context) -> Any:
        """How the daemon is, and each of its parts."""
        found = health_pb2.HealthListResponse()
        for part, status in (await self._parts("GET /ready", context)).items():
            found.statuses[part].status = status
        return found

    async def _status(self, part: str, context: Context) -> Any:
        parts = await self._parts("GET /ready" if part else "GET /health", context)
        if part not in parts:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no part {part[:80]!r}")
        return parts[part]

    async def _parts(self, rest: str, context: Context) -> dict[str, Any]:
        """What one of the two routes says of the daemon, under the empty name, and of its parts."""
        status = health_pb2.HealthCheckResponse
        try:
            # not ready is an answer, too
            body, _ = await self._daemon.ask(rest, {}, caller_of(context), allowed=(503,))
        except CaxtonError as error:
            if not isinstance(error, Unreachable | TimedOut):
                await refuse(context, error)
            return dict.fromkeys(("", *PARTS), status.NOT_SERVING)
        parts = {
            name: status.SERVING if fine else status.NOT_SERVING
            for name, fine in body.get("parts", {}).items()
        }
        return {"": status.SERVING, **parts}
