"""What `caxton fork` does: read what is to be changed, run on, show both branches.

In: what the command line says. Out: the conversation as it goes on, and what is not as it was; or JSON.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from caxton import exact_numbers
from caxton.cli import connection, python_runtime
from caxton.cli.options import Format
from caxton.cli.output.printing import document, paint, safe, say, talk
from caxton.config import load
from caxton.diagram import draw_text, read_timeline
from caxton.diagram.differences import steps
from caxton.errors import ConfigurationError
from caxton.history import Change, Forked
from caxton.history import fork as forked
from caxton.schemas.shape import micros
from caxton.telemetry.logs import configure


def fork(
    conversation: str,
    at: str,
    edit: Sequence[str],
    build: Path | None,
    agent: str | None,
    seconds: float,
    seed: int,
    project: Path | None,
    output: Format,
) -> None:
    """Fork and print."""
    configure("text", "error", sys.stderr)
    if (build is None) is not (agent is None):
        raise ConfigurationError("--with FILE is the build of an agent: say both --with and --agent")
    builds = {} if build is None or agent is None else {agent: python_runtime.module_of(build)}
    change = Change(_edits(edit), builds)
    found = forked(load(connection.folder(project), {}), conversation, at, change, seconds=seconds, seed=seed)
    if output is not Format.TEXT:
        document(found.json(), output)
        return
    platform = load(connection.folder(project), {}).config.platform
    width = shutil.get_terminal_size((120, 24)).columns
    last = found.conversation.items[-1]
    timeline = read_timeline(found.conversation, platform)
    say(
        draw_text(
            timeline, width, now_us=micros(last.at), notes={found.at: "from here on it is the side world"}
        )
    )
    say()
    for line in _differences(found):
        say(line)
    for note in found.notes:
        talk(f"note: {safe(note)}")


def _differences(found: Forked) -> Iterator[str]:
    """Step by step what both say, and what only one does."""
    rows = list(steps(found.before, found.conversation.items))
    if all(row.side == "both" for row in rows):
        yield "it goes on as it did"
        return
    yield paint("- as it was   + in the side world", "bold")
    signs = {"both": (" ", None), "first": ("-", "red"), "second": ("+", "green")}
    for row in rows:
        sign, style = signs[row.side]
        yield paint(f"{sign} {row.seq:>6}  {row.text}", style)


def _edits(edit: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in edit:
        if text.lstrip().startswith("{"):
            members = _json(text)
            if not isinstance(members, dict):
                raise _wrong(text)
            found |= cast("dict[str, Any]", members)
            continue
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise _wrong(text)
        found[path.strip()] = _json(value)
    return found


def _json(text: str) -> Any:
    """A value as JSON; what is none is text."""
    try:
        return exact_numbers.decode(text.encode())
    except ValueError:
        return text


def _wrong(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"--edit {text!r} says neither where nor what",
        hint='such as content.price=9, or {"content": {"price": 9}}',
    )
