"""The tools of a server as its process knows them: which are offered, what is told of them, what their arguments are.

In: a list as the server gave it, which may be anything. Out: tools with names that can be written, as many and as long
as a message has room for; what is wrong with a call's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import mcp_types
import msgspec
from jsonschema import Draft202012Validator, SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from caxton.effects.tools.vocabulary import Offer, Offered, Tool

MOST: Final = 250
"""Tools that are offered; a description in the directory has room for no more."""
SCHEMA_BYTES: Final = 16_384
OFFER_BYTES: Final = 131_072
DESCRIPTION: Final = 2_000
FAULTS: Final = 5
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}")

Json = dict[str, Any]


class BadSchema(Exception):
    """Raised for a schema by which nothing can be checked."""


class Catalogue:
    """The tools of one list; `told` is what agents hear of them, `left_out` what they do not."""

    def __init__(self, listed: Iterable[mcp_types.Tool], offered: Offered) -> None:
        self.left_out: list[str] = []
        self._schemas: dict[str, Json] = {}
        self._validators: dict[str, Draft202012Validator] = {}
        told: dict[str, Tool] = {}
        left = OFFER_BYTES
        for one in listed:
            hints = one.annotations or mcp_types.ToolAnnotations()
            if not _NAME.fullmatch(one.name) or one.name in told or len(told) >= MOST:
                self.left_out.append(one.name[:80])
                continue
            if not offered.has(one.name) or (offered.read_only and not hints.read_only_hint):
                continue
            tool = Tool(
                one.name,
                (one.description or one.title or "")[:DESCRIPTION],
                one.input_schema,
                one.output_schema,
                hints.model_dump(by_alias=True, exclude_none=True),
                bool(hints.idempotent_hint or hints.read_only_hint),
            )
            size = _size(tool)
            if size is None or size > min(SCHEMA_BYTES, left):
                tool = msgspec.structs.replace(tool, schema=None, output_schema=None)
                size = _size(tool) or 0
            if size > left:
                self.left_out.append(one.name)
                continue
            left -= size
            told[one.name] = tool
            self._schemas[one.name] = one.input_schema
        self.told = Offer(list(told.values()))

    def __contains__(self, name: str) -> bool:
        """Whether it is offered."""
        return name in self._schemas

    @property
    def names(self) -> list[str]:
        """What is offered."""
        return list(self._schemas)

    def faults(self, name: str, arguments: Mapping[str, Any]) -> list[str]:
        """What is wrong with the arguments of a call, a few sentences. Raises BadSchema."""
        try:
            validator = self._validators.get(name) or self._validator(name)
            found = islice(validator.iter_errors(arguments), FAULTS)
            return [f"{one.json_path.removeprefix('$.')}: {one.message[:200]}" for one in found]
        except SchemaError as error:
            raise BadSchema(error.message[:200]) from error
        except (Unresolvable, re.error) as error:
            raise BadSchema(str(error)[:200]) from error
        except RecursionError as error:
            raise BadSchema("it goes round in a circle, or is too deep") from error

    def _validator(self, name: str) -> Draft202012Validator:
        schema = self._schemas[name]
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        # nothing is fetched for a reference
        made = self._validators[name] = kind(schema, registry=Registry())  # pyright: ignore[reportUnknownArgumentType]
        return made


def _size(tool: Tool) -> int | None:
    """How long it is as JSON; None where it is too deep to be told, or no JSON."""
    try:
        return len(msgspec.json.encode(tool))
    except (RecursionError, ValueError, TypeError, OverflowError):
        return None
