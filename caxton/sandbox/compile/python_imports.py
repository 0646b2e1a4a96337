"""The modules of its own that a Python agent imports: those files go with its source.

In: an agent's source, folders to look in. Out: the text of every module that it imports, or that one of those imports,
by its path below its folder, such as `shop/prices.py`. What an import statement names is found, what is imported in
another way is not. The standard library comes first; what is found nowhere is left to the runtime, which says so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from caxton.errors import InvalidModule

FILES_MOST: Final = 1_000
TOTAL_CEILING: Final = 4 * 1024 * 1024
"""All modules of an agent together, in bytes."""

_GIVEN: Final = sys.stdlib_module_names | {"caxton_agent"}
_IMPORT: Final = re.compile(r"^[ \t]*import[ \t]+([^\n#;]+)", re.MULTILINE)
_FROM: Final = re.compile(
    r"^[ \t]*from[ \t]+(\.*)[ \t]*([\w.]*)[ \t]+import[ \t]+(?:\(([^)]*)\)|([^\n#;]+))", re.MULTILINE
)


def imported(source: str, folders: Sequence[Path]) -> dict[str, Path]:
    """The files of what a source imports, by their paths below the folders; the first folder that has one counts."""
    found: dict[str, Path] = {}
    due = [("", source)]
    while due:
        package, text = due.pop()
        for name in _named(package, text):
            for place, file in _files(name, folders):
                if place not in found:
                    found[place] = file
                    module = place.removesuffix(".py").replace("/", ".")
                    inside = (
                        module.removesuffix(".__init__")
                        if module.endswith("__init__")
                        else module.rpartition(".")[0]
                    )
                    due.append((inside, _text(file, place)))
                    if len(found) > FILES_MOST:
                        raise InvalidModule(f"the agent imports more than {FILES_MOST:,} files of its own")
    return dict(sorted(found.items()))


def texts(source: bytes, folders: Sequence[Path]) -> dict[str, str]:
    """The same with what is in the files; InvalidModule where one is no text, or all of it is too long."""
    files = imported(source.decode("utf-8", "replace"), folders)
    found = {place: _text(file, place) for place, file in files.items()}
    size = sum(len(text) for text in found.values())
    if size > TOTAL_CEILING:
        raise InvalidModule(
            f"the modules that the agent imports have {size:,} characters, more than {TOTAL_CEILING:,}",
            hint="import less of them",
        )
    return found


def _named(package: str, text: str) -> Iterator[str]:
    """The full names of what a module's import statements name, members of packages among them."""
    for (names,) in (match.groups() for match in _IMPORT.finditer(text)):
        yield from (_name(one) for one in names.split(","))
    for dots, module, inside, plain in (match.groups() for match in _FROM.finditer(text)):
        base = module
        if dots:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - len(dots) + 1], *([module] if module else [])]).strip(".")
        yield base
        yield from (f"{base}.{_name(one)}" for one in (inside or plain or "").split(",") if base)


def _name(text: str) -> str:
    """`a.b as c` without the new name."""
    return text.split("#")[0].strip().split(" ")[0]


def _files(name: str, folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """The files of a module and the packages around it, from the outermost inwards."""
    parts = name.split(".")
    if parts[0] in _GIVEN or not all(part.isidentifier() for part in parts):
        return
    for end in range(1, len(parts) + 1):
        inside = "/".join(parts[:end])
        for place in (f"{inside}/__init__.py", f"{inside}.py"):
            file = next((one / place for one in folders if (one / place).is_file()), None)
            if file is not None:
                yield place, file
                break
        else:
            if not any((one / inside).is_dir() for one in folders):
                return


def _text(file: Path, place: str) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidModule(f"{place} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidModule(f"{place}: the source is not UTF-8 text", hint="save it as UTF-8") from None
