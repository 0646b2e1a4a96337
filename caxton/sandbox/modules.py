"""Compiled modules and components in this process: loaded once for each file, shared by all instances of a revision."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakValueDictionary

import msgspec
import wasmtime
from wasmtime.component import Component

from caxton.errors import InvalidModule
from caxton.sandbox import cache_labels
from caxton.sandbox.abi import Exports, check_exports
from caxton.sandbox.components.linker import World
from caxton.sandbox.engines import engine
from caxton.sandbox.faults import broken, shown
from caxton.sandbox.profiles import Profile


class Revision:
    """One compiled module and what it exports. Lives as long as something uses it."""

    __slots__ = ("__weakref__", "exports", "module", "profile")

    def __init__(self, module: wasmtime.Module, profile: Profile) -> None:
        self.module = module
        self.profile = profile
        try:
            self.exports: Exports = check_exports(described(module))
        except InvalidModule as refused:
            raise broken("exports", refused.message, refused.hint) from None


_loaded: WeakValueDictionary[tuple[str, Profile], Revision | World] = WeakValueDictionary()
_components: WeakValueDictionary[str, Component] = WeakValueDictionary()


def load(path: str, profile: Profile) -> Revision | World:
    """The revision in that file, which must come from our own compiler: it holds native code, or names some."""
    revision = _loaded.get((path, profile))
    if revision is None:
        try:
            label = cache_labels.read(Path(path))
            if label is not None:
                revision = World(component(label.component), label)
            else:
                module = wasmtime.Module.deserialize_file(engine(profile), path)
                revision = Revision(module, profile)
        except (wasmtime.WasmtimeError, OSError, msgspec.MsgspecError) as refused:
            raise broken(
                "module_refused",
                f"the compiled module cannot be loaded: {shown(str(refused), 200)}",
                "compile it again",
            ) from None
        _loaded[(path, profile)] = revision
    return revision


def component(path: str) -> Component:
    """A compiled component of ours; all agents of one runtime share its code, which is large."""
    found = _components.get(path)
    if found is None:
        found = _components[path] = Component.deserialize_file(engine(Profile.COMPONENT), path)
    return found


def described(module: wasmtime.Module) -> dict[str, str]:
    """The exports as name -> "memory", a function's type such as "(i32) -> i32", or another kind's name."""
    found: dict[str, str] = {}
    for export in module.exports:
        kind = export.type
        if isinstance(kind, wasmtime.FuncType):
            results = [str(value) for value in kind.results]
            returned = results[0] if len(results) == 1 else f"({', '.join(results)})"
            found[export.name] = f"({', '.join(str(value) for value in kind.params)}) -> {returned}"
        else:
            found[export.name] = type(kind).__name__.removesuffix("Type").lower()
    return found
