"""Refusals of the API as gRPC's: a status code, the sentence, and the whole of it as `google.rpc.ErrorInfo`.

In: an error of Caxton's tree. Out: what a call is ended with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from caxton import exact_numbers
from caxton.errors import CaxtonError

CODES: Final = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    410: grpc.StatusCode.FAILED_PRECONDITION,
    412: grpc.StatusCode.ABORTED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""By the status that the HTTP API answers with; every other one is INVALID_ARGUMENT."""
_EXISTS = ("agent_exists", "token_exists")
DETAILS: Final = "grpc-status-details-bin"
DOMAIN: Final = "caxton"


Metadata = Iterable[tuple[str, str | bytes]]


class Context(Protocol):
    """A call in hand: what `grpc.aio` gives, as far as it is used here."""

    def invocation_metadata(self) -> Metadata | None:
        """What the caller sent along."""
        ...

    def peer(self) -> str:
        """Where the caller is, such as `unix:` or `ipv4:127.0.0.1:4711`."""
        ...

    def auth_context(self) -> Mapping[str, Sequence[bytes]]:
        """What TLS knows of the caller."""
        ...

    def set_trailing_metadata(self, metadata: Metadata) -> None:
        """Send something along at the end."""
        ...

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Metadata = ()) -> None:
        """End the call so; raises."""
        ...


def code_of(error: CaxtonError) -> grpc.StatusCode:
    """The status code of a refusal."""
    if error.code in _EXISTS:
        return grpc.StatusCode.ALREADY_EXISTS
    return CODES.get(error.status, grpc.StatusCode.INVALID_ARGUMENT)


async def refuse(context: Context, error: CaxtonError) -> None:
    """End the call with it."""
    code = code_of(error)
    info = error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN)
    if error.hint:
        info.metadata["hint"] = error.hint
    for name, value in error.details.items():
        info.metadata[name] = value if isinstance(value, str) else exact_numbers.encode(value).decode()
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=code.value[0], message=error.message, details=[detail])
    await context.abort(code, error.message, ((DETAILS, status.SerializeToString()),))
