"""JSON Schema (2020-12), as far as answers and arguments need it.

In: a schema and a value. Out: what is wrong with the value, one sentence with its place each. What a schema says that
is not understood here is an error of the schema, never a value that passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import re2

MOST: Final = 5
"""Faults that are told."""
DEPTH: Final = 64
_SAYS_NOTHING: Final = frozenset(
    {
        "$schema",
        "$id",
        "$comment",
        "$anchor",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
        "contentEncoding",
        "contentMediaType",
        "strict",
    }
)
_CHECKED: Final = frozenset(
    {
        "$ref",
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
    }
)
_BOUNDS: Final = {
    "minimum": "is less than",
    "maximum": "is more than",
    "exclusiveMinimum": "is not more than",
    "exclusiveMaximum": "is not less than",
    "multipleOf": "is no multiple of",
}

Json = Any


class BadSchema(Exception):
    """Raised for a schema that cannot be used; the sentence says why."""


def faults(schema: Json, value: Json) -> list[str]:
    """What is wrong with a value, a few sentences at the most. Raises BadSchema."""
    found: list[str] = []
    for fault in _check(schema, value, "", schema, 0):
        found.append(fault)
        if len(found) >= MOST:
            break
    return found


def _check(schema: Json, value: Json, place: str, root: Json, depth: int) -> Iterator[str]:
    if schema is True:
        return
    if schema is False:
        yield _at(place, "is not allowed")
        return
    if not isinstance(schema, dict):
        raise BadSchema(f"a schema is an object, not {schema!r:.40}")
    if depth > DEPTH:
        raise BadSchema("the schema goes round in a circle, or is too deep")
    rules = cast("dict[str, Any]", schema)
    unknown = rules.keys() - _SAYS_NOTHING - _CHECKED
    if unknown:
        raise BadSchema(f"{sorted(unknown)[0]!r} is not understood in a schema")
    if "$ref" in rules:
        yield from _check(_referred(root, rules["$ref"]), value, place, root, depth + 1)
    if "type" in rules and not _is_of(value, rules["type"]):
        yield _at(place, f"is no {rules['type']}")
        return
    if "enum" in rules and not any(_same(value, one) for one in rules["enum"]):
        yield _at(place, f"is none of {rules['enum']!r:.80}")
    if "const" in rules and not _same(value, rules["const"]):
        yield _at(place, f"is not {rules['const']!r:.80}")
    if isinstance(value, dict):
        yield from _object(rules, cast("dict[str, Any]", value), place, root, depth)
    elif isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        yield from _list(rules, items, place, root, depth)
    elif isinstance(value, str):
        yield from _size(rules, "Length", len(value), "characters", place)
        if "pattern" in rules and not _occurs(rules["pattern"], value):
            yield _at(place, f"does not fit {rules['pattern']!r:.80}")
    elif _is_number(value):
        for rule, words in _BOUNDS.items():
            if rule in rules and not _holds(rule, value, rules[rule]):
                yield _at(place, f"{words} {rules[rule]}")
    yield from _combined(rules, value, place, root, depth)


def _object(
    rules: Mapping[str, Any], value: Mapping[str, Any], place: str, root: Json, depth: int
) -> Iterator[str]:
    properties: Mapping[str, Any] = rules.get("properties", {})
    for name in rules.get("required", ()):
        if name not in value:
            yield _at(place, f"has no {name!r}")
    rest = rules.get("additionalProperties", True)
    for name, one in value.items():
        yield from _check(properties.get(name, rest), one, f"{place}.{name}", root, depth + 1)
    yield from _size(rules, "Properties", len(value), "members", place)


def _list(rules: Mapping[str, Any], value: list[Any], place: str, root: Json, depth: int) -> Iterator[str]:
    first: list[Any] = rules.get("prefixItems", [])
    for number, one in enumerate(value):
        schema = first[number] if number < len(first) else rules.get("items", True)
        yield from _check(schema, one, f"{place}[{number}]", root, depth + 1)
    yield from _size(rules, "Items", len(value), "items", place)
    if rules.get("uniqueItems") and any(_same(a, b) for n, a in enumerate(value) for b in value[:n]):
        yield _at(place, "has an item twice")


def _combined(rules: Mapping[str, Any], value: Json, place: str, root: Json, depth: int) -> Iterator[str]:
    def fits(schema: Json) -> bool:
        return next(_check(schema, value, place, root, depth + 1), None) is None

    for schema in rules.get("allOf", ()):
        yield from _check(schema, value, place, root, depth + 1)
    if "anyOf" in rules and not any(fits(schema) for schema in rules["anyOf"]):
        yield _at(place, "fits none of anyOf")
    if "oneOf" in rules and sum(fits(schema) for schema in rules["oneOf"]) != 1:
        yield _at(place, "does not fit exactly one of oneOf")
    if "not" in rules and fits(rules["not"]):
        yield _at(place, "fits what it must not be")


def _occurs(pattern: str, text: str) -> bool:
    try:
        options = re2.Options()
        options.log_errors = False
        return re2.compile(pattern.encode(), options).search(text.encode("utf-8", "replace")) is not None
    except re2.error as error:
        raise BadSchema(f"the pattern {pattern[:60]!r} cannot be used") from error


def _holds(rule: str, value: float, bound: float) -> bool:
    match rule:
        case "minimum":
            return value >= bound
        case "maximum":
            return value <= bound
        case "exclusiveMinimum":
            return value > bound
        case "exclusiveMaximum":
            return value < bound
        case _:
            return value % bound == 0


def _size(rules: Mapping[str, Any], what: str, size: int, unit: str, place: str) -> Iterator[str]:
    if size < rules.get(f"min{what}", 0):
        yield _at(place, f"has fewer than {rules[f'min{what}']} {unit}")
    if size > rules.get(f"max{what}", size):
        yield _at(place, f"has more than {rules[f'max{what}']} {unit}")


def _is_of(value: Json, types: Json) -> bool:
    many: list[Any] = types if isinstance(types, list) else [types]  # pyright: ignore[reportUnknownVariableType]
    return any(_is_one(value, one) for one in many)


def _is_one(value: Json, type: Json) -> bool:
    match type:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "number":
            return _is_number(value)
        case "integer":
            return _is_number(value) and value == int(value)
        case _:
            raise BadSchema(f"there is no type {type!r:.40}")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: Json, other: Json) -> bool:
    # True is not 1 in JSON, at no depth
    return repr(one) == repr(other) or (_is_number(one) and _is_number(other) and one == other)


def _referred(root: Json, reference: Json) -> Json:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise BadSchema(f"$ref goes to a place of the same schema, not to {reference!r:.60}")
    found = root
    for part in filter(None, re.split("/", reference[1:])):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            raise BadSchema(f"there is nothing at {reference[:60]!r}")
        found = cast("dict[str, Any]", found)[key]
    return found


def _at(place: str, what: str) -> str:
    return f"{place.removeprefix('.') or 'it'} {what}"
