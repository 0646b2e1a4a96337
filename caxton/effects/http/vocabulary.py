"""What can be asked of an agent `http.NAME`, and what it may reach.

In: the content of a request, or the place that a redirect leads to. Out: a checked `Fetch`; why a place is not reached.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from caxton.errors import InvalidMessage

PORTS: Final = {"http": 80, "https": 443}
SAFE: Final = frozenset({"GET", "HEAD"})
"""Methods that change nothing: such a call may be made again."""
OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)
"""Headers that nobody says but the process."""
_METHOD: Final = re.compile("[A-Z]{1,20}")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]{0,8000}")


class Fetch(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A request: `text` or `json` is its body."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = {}
    text: str | None = None
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def body(self) -> bytes:
        """Its body as bytes."""
        return bytes(self.json) if isinstance(self.json, msgspec.Raw) else (self.text or "").encode()


_decode = msgspec.json.Decoder(Fetch).decode


def read_request(content: bytes) -> Fetch:
    """The request that a content is; raises InvalidMessage."""
    try:
        asked = _decode(content)
    except msgspec.MsgspecError as error:
        raise InvalidMessage(
            f"this is no HTTP request: {error}", hint='for example {"url": "https://example.org/a"}'
        ) from error
    if not _METHOD.fullmatch(asked.method):
        raise InvalidMessage("a method is a word in capital letters", field="method")
    if asked.text is not None and asked.json is not msgspec.UNSET:
        raise InvalidMessage("a request has text or json, not both", field="text")
    for name, value in asked.headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in OURS:
            raise InvalidMessage(f"{name[:80]!r} cannot be a header, or its value cannot", field="headers")
    place_of(asked.url)
    return asked


def place_of(url: str) -> SplitResult:
    """The parts of an absolute URL; raises InvalidMessage for one that is not http or https, or has a password."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
        plain = parts.username is None and url.isascii() and not re.search(r"[\s\\\x00-\x1f]", url)
    except ValueError:
        parts, known, plain = None, False, False
    if parts is None or not known or not plain:
        raise InvalidMessage(
            f"{url[:200]!r} is no URL that is reached",
            hint="http:// or https://, a host, in ASCII, without a name or password",
            field="url",
        )
    return parts


def is_allowed(parts: SplitResult, hosts: Sequence[str]) -> bool:
    """Whether a place is on an allow-list: `example.org`, `*.example.org`, `example.org:8080`.

    A host without a port is reached at the usual ones only.
    """
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or PORTS[parts.scheme]
    for allowed in hosts:
        name, _, wanted = allowed.lower().rpartition(":") if _has_port(allowed) else (allowed.lower(), "", "")
        if fnmatchcase(host, name.strip("[]")) and (
            port == int(wanted) if wanted else port == PORTS[parts.scheme]
        ):
            return True
    return False


def _has_port(allowed: str) -> bool:
    head, _, port = allowed.rpartition(":")
    return port.isdigit() and (":" not in head or head.endswith("]"))


def as_line(asked: Fetch) -> dict[str, Any]:
    """The request as the process gets it."""
    return {"url": asked.url, "method": asked.method, "headers": asked.headers, "body": asked.body}
