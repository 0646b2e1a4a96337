"""TOML files that people write: read, and explained where they are wrong.

In: a file, and what pydantic found when it was held against a model. Out: its text and data; or one ConfigurationError
with the line, the key, the rule and what may stand there, the first complaint in its sentence and the others in its
details. tomllib does not tell where a key stands, so lines are found by a look at the text.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from caxton import exact_numbers
from caxton.errors import ConfigurationError

Place = tuple[str | int, ...]
"""Keys from the outside in; a number is the place in an array, from 0."""


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """Its text and what it says; raises ConfigurationError."""
    try:
        text = path.read_text("utf-8-sig")
        return text, data_of(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", hint="the file must be TOML 1.0") from error


def data_of(text: str) -> dict[str, Any]:
    """What a document says, its decimals with their digits; raises `tomllib.TOMLDecodeError`."""
    return tomllib.loads(text, parse_float=_decimal)


def _decimal(spelling: str) -> float:
    # TOML has signs, parted digits, infinities and what is no number; JSON has none of them
    spelling = spelling.replace("_", "").removeprefix("+")
    return float(spelling) if "n" in spelling else exact_numbers.decimal(spelling)


def explain(
    path: Path,
    text: str,
    error: ValidationError,
    model: type[BaseModel],
    said_elsewhere: Callable[[str], str | None] = lambda key: None,
) -> ConfigurationError:
    """The first complaint in full, the others in the details; `said_elsewhere` names what else than the file said a
    dotted key."""
    lines: list[str] = []
    hint: str | None = None
    complaints = error.errors(include_url=False, include_context=False)
    # a mistyped key is often the reason why another one is missing
    complaints.sort(key=lambda item: item["type"] != "extra_forbidden")
    for number, item in enumerate(complaints):
        place = item["loc"]
        key = dotted(place)
        said = said_elsewhere(key)
        line = line_of(text, place) if said is None else None
        where = said or (f"{path}:{line}" if line else str(path))
        advice = None
        if item["type"] == "extra_forbidden":
            allowed = _allowed(model, place[:-1])
            close = difflib.get_close_matches(str(place[-1]), allowed, n=1)
            what = f"unknown key {key!r}"
            advice = f"did you mean {close[0]!r}? " if close else ""
            advice += f"allowed here: {', '.join(allowed)}"
        else:
            what = f"{key}: {item['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        if number == 0:
            hint = advice
        lines.append(f"{where}: {what}")
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return ConfigurationError(lines[0] + more, hint=hint, problems=lines, file=str(path))


def dotted(place: Sequence[str | int]) -> str:
    """A place as people write it: `agents.echo.wasm`, `step[2].send`; places in arrays are counted from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line where a key stands, as well as a look at the text can tell; that of the nearest table otherwise."""
    table: Place = ()
    best: int | None = None
    counts: dict[str, int] = {}
    wanted = tuple(place)
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("[") and "]" in line and "=" not in line.split("]")[0]:
            names = tuple(part.strip().strip("\"'") for part in line.strip("[").split("]")[0].split("."))
            if line.startswith("[["):
                counts[names[0]] = counts.get(names[0], -1) + 1
            table = (names[0], counts[names[0]], *names[1:]) if names[0] in counts else names
            if wanted[: len(table)] == table:
                best = number
        elif "=" in line and not line.startswith("#"):
            key = tuple(part.strip().strip("\"'") for part in line.split("=")[0].split("."))
            full = (*table, *key)
            if full and full == wanted[: len(full)]:
                return number
    return best


def _allowed(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that may stand in the table at that place."""
    inner: Any = model
    for part in place:
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            field = inner.model_fields.get(str(part))
            inner = field.annotation if field is not None else None
        else:
            # a table of tables by name, or an array
            inner = get_args(inner)[-1] if get_args(inner) else None
        inner = _table(inner)
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def _table(annotation: Any) -> Any:
    """The table among what a key may be."""
    if get_origin(annotation) in (Union, UnionType):
        tables = [one for one in get_args(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        return tables[0] if tables else next((one for one in get_args(annotation) if get_args(one)), None)
    return annotation
