"""The modules of an agent's own: they came with its source, and are imported from there.

In: their texts, by paths such as `shop/prices.py`. Out: modules, each run once, when it is imported for the first time.
What the runtime has already wins, so nothing takes the place of the standard library.
"""

import linecache
import types
from importlib.machinery import ModuleSpec
from typing import Any, ClassVar, cast


class Library:
    """Finds and runs them, as an entry of `sys.meta_path`."""

    files: ClassVar[dict[str, str]] = {}

    @classmethod
    def holds(cls, files: dict[str, str]) -> None:
        """These are there; SyntaxError where one of them is no Python."""
        cls.files = files
        for place, text in files.items():
            compile(text, place, "exec", dont_inherit=True)
            remember(place, text)

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where a module is, for Python's import."""
        inside, loader = name.replace(".", "/"), cast("Any", cls)
        for place, is_package in ((f"{inside}/__init__.py", True), (f"{inside}.py", False)):
            if place in cls.files:
                return ModuleSpec(name, loader, origin=place, is_package=is_package)
        if any(place.startswith(f"{inside}/") for place in cls.files):
            # a folder without __init__.py
            return ModuleSpec(name, None, is_package=True)
        return None

    @classmethod
    def create_module(cls, spec: ModuleSpec) -> None:
        """A plain one will do."""

    @classmethod
    def exec_module(cls, module: types.ModuleType) -> None:
        """Run it."""
        assert module.__spec__ is not None
        place = module.__spec__.origin
        assert place is not None
        module.__file__ = place
        exec(compile(cls.files[place], place, "exec", dont_inherit=True), module.__dict__)


def remember(place: str, text: str) -> None:
    """For tracebacks; without a time of change nobody looks for the file."""
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
