"""Messages as files in one of their forms, for the commands that read and write them.

In: a file or stdin. Out: `FullMessage`s, and their text on stdout: byte by byte as it is where that is a file or a
pipe, without what a terminal would obey where it is a terminal.
"""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from caxton.cli.lazy import lazy
from caxton.cli.output.printing import safe
from caxton.errors import ConfigurationError, InvalidMessage

if TYPE_CHECKING:
    from caxton.acl import fipa_string, full_message, xml
    from caxton.acl.full_message import FullMessage
else:
    fipa_string, full_message, xml = lazy(
        "caxton.acl.fipa_string", "caxton.acl.full_message", "caxton.acl.xml"
    )


class Form(StrEnum):
    """How a message is written."""

    JSON = "json"
    FIPA_STRING = "fipa-string"
    XML = "xml"


def source(name: str, option: str) -> bytes:
    """The bytes of that file, of stdin for `-`, without a byte order mark."""
    if name == "-":
        return sys.stdin.buffer.read().removeprefix(BOM_UTF8)
    try:
        return Path(name).read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise ConfigurationError(
            f"{option}: {name} cannot be read: {error.strerror}", hint=f"{option} - reads stdin"
        ) from error


def read(data: bytes, form: Form, where: str) -> list[FullMessage]:
    """The messages in these bytes, at least one; InvalidMessage names `where`, and the place in it."""
    readers = {
        Form.JSON: full_message.read_json_messages,
        Form.FIPA_STRING: fipa_string.read_string_messages,
        Form.XML: xml.read_xml_messages,
    }
    where = "stdin" if where == "-" else where
    try:
        found = readers[form](data)
    except InvalidMessage as error:
        raise InvalidMessage(f"{where}: {error.message}", hint=error.hint, **error.details) from None
    if not found:
        raise InvalidMessage(f"{where}: there is no message in it", hint=f"it should be {form.value}")
    return found


def written(messages: Sequence[FullMessage], form: Form) -> str:
    """These messages in that form: JSON a line each, FIPA strings one after the other, one XML document."""
    match form:
        case Form.JSON:
            return "\n".join(full_message.write_json(message).decode() for message in messages)
        case Form.FIPA_STRING:
            return "\n".join(map(fipa_string.write_string, messages))
        case Form.XML:
            return xml.write_xml_document(messages)


def put(text: str) -> None:
    """Write a text and a newline to stdout."""
    if sys.stdout.isatty():
        sys.stdout.write("\n".join(map(safe, text.split("\n"))) + "\n")
        sys.stdout.flush()
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{text}\n".encode())
        sys.stdout.buffer.flush()
