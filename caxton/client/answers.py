"""What a daemon answers, without the connection: shapes, refusals, the event stream.

In: a response's bytes, what httpx raises. Out: a shape, events, or the error that the daemon meant.
This is the one border where httpx's errors become Caxton's.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import httpx
import msgspec

from caxton import exact_numbers
from caxton.client.remote import Remote
from caxton.client.requests import Json
from caxton.daemon_socket import answers
from caxton.errors import CaxtonError, Exit, SecurityError, TimedOut, Unreachable
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import decoder, shaped

T = TypeVar("T")


class Page(Protocol[T]):
    """A page of a list."""

    @property
    def items(self) -> list[T]:
        """What is on it."""
        ...

    @property
    def next(self) -> int | str | None:
        """Where the next one begins; None at the end."""
        ...


P = TypeVar("P", bound=Page[Any])


_EXITS = {
    400: Exit.USAGE,
    403: Exit.NOT_ALLOWED,
    404: Exit.USAGE,
    405: Exit.USAGE,
    409: Exit.AGENT_FAILED,
    410: Exit.USAGE,
    412: Exit.AGENT_FAILED,
    413: Exit.LIMIT,
    422: Exit.USAGE,
    429: Exit.LIMIT,
    504: Exit.TIMED_OUT,
}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of the stream: `seq` is the row's number, for a gap its last one; `data` as the daemon sent it."""

    seq: int | None
    kind: str
    data: Json

    @property
    def stored(self) -> MessageBody:
        """The message of an event of kind `message`."""
        return shaped(self.data, MessageBody)


class NotThere(Unreachable):
    """Raised when nobody listens: nothing was asked."""


@contextlib.contextmanager
def translated(path: Path | Remote) -> Generator[None]:
    """httpx's errors as Caxton's; `path` is the socket's, or a daemon elsewhere."""
    try:
        yield
    except httpx.ConnectError as error:
        raise _nobody(path, error) from error
    except httpx.TimeoutException as error:
        raise TimedOut("the daemon did not answer in time", hint="look at: caxton status") from error
    except httpx.TransportError as error:
        raise Unreachable(
            f"the daemon at {path} hung up: {error}", hint="its log says why: .caxton/daemon.log"
        ) from error


def meet(path: Path | Remote) -> None:
    """NotThere where nobody listens; httpx would say so too, and leave the socket of its attempt open."""
    if not isinstance(path, Remote) and not answers(path):
        raise _nobody(path)


def _nobody(path: Path | Remote, error: BaseException | None = None) -> CaxtonError:
    if isinstance(path, Remote):
        while error is not None and not isinstance(error, ssl.SSLError):
            error = error.__cause__ or error.__context__
        if isinstance(error, ssl.SSLCertVerificationError):
            return SecurityError(
                f"the certificate of {path} is not trusted: {error.verify_message}",
                hint="name its authority: caxton context add NAME URL --ca FILE, or CAXTON_CA_FILE",
            )
        return NotThere(
            f"no daemon answers at {path}",
            hint="is it up, with listen.tcp? Commands talk to it by CAXTON_URL or caxton context use",
        )
    return NotThere(f"no daemon answers at {path}", hint="start it with: caxton up")


def read(response: httpx.Response, kind: type[T], allowed: Sequence[int] = ()) -> T:
    """The response in that shape; raises what the daemon refused with."""
    body = accepted(response, allowed)
    try:
        return decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise CaxtonError(
            f"the daemon answers as another version of Caxton does: {error}",
            hint="start the daemon anew with this version, or use a client of the daemon's",
        ) from error


def accepted(response: httpx.Response, allowed: Sequence[int] = ()) -> bytes:
    """The response's bytes; raises what the daemon refused with."""
    if not response.is_success and response.status_code not in allowed:
        raise refusal(response.status_code, response.content)
    return response.content


def joined(whole: P | None, page: P) -> P:
    """A list that came in pages, with one more page."""
    if whole is None:
        return page
    more: Any = page
    return cast("P", msgspec.structs.replace(more, items=[*whole.items, *page.items]))


def refusal(status: int, content: bytes) -> CaxtonError:
    """The error that an answer carries, of its own class where this process knows it."""
    try:
        said = msgspec.json.decode(content, type=_Refusal).error
    except msgspec.MsgspecError:
        said = _Said("internal_error", f"the daemon answered {status} without a word")
    kind = next((one for one in _classes(CaxtonError) if one.code == said.code), None)
    if kind is None:
        kind = _unknown(said.code, status)
    error = CaxtonError.__new__(kind)
    # some errors of the tree have a constructor of their own; what was said is the same for all
    CaxtonError.__init__(error, said.message, hint=said.hint)
    error.details = said.details
    return error


class _Said(msgspec.Struct):
    code: str
    message: str
    hint: str | None = None
    details: Json = {}


class _Refusal(msgspec.Struct):
    error: _Said


def _unknown(refused_with: str, answered: int) -> type[CaxtonError]:
    class Refused(CaxtonError):
        """A refusal whose class this process does not have."""

        code = refused_with
        status = answered
        exit = _EXITS.get(answered, Exit.UNEXPECTED)

    return Refused


_data = msgspec.json.Decoder(Json, float_hook=exact_numbers.decimal).decode


class EventReader:
    """Bytes of an event stream in, events out; keeps the number to go on from."""

    def __init__(self, after: int | None = None) -> None:
        self.last = after
        self._rest = b""

    def again(self) -> None:
        """Forget half an event: the stream begins anew."""
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """The events that this chunk completes."""
        # split by hand: str.splitlines would also split at characters that JSON text may hold
        *blocks, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in blocks:
            fields: dict[bytes, bytes] = {}
            for line in block.split(b"\n"):
                name, _, value = line.partition(b": ")
                fields[name] = value
            number = int(fields[b"id"]) if b"id" in fields else None
            if number is not None:
                self.last = number
            if b"data" in fields:
                kind = fields.get(b"event", b"message").decode()
                yield StreamEvent(number, kind, _data(fields[b"data"]))


def _classes(root: type[CaxtonError]) -> Iterator[type[CaxtonError]]:
    yield root
    for one in root.__subclasses__():
        yield from _classes(one)
