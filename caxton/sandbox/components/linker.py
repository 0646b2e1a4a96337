"""Components: which of them are agents, and what they are linked with (`python/guest/agent.wit`).

In: a component, compiled or about to be. Out: `World`, from which instances are made; InvalidModule says what is
missing.
"""

from __future__ import annotations

from typing import Final

import wasmtime
from wasmtime.component import Component, FuncType, Linker, ListType, ResultType

from caxton.errors import InvalidModule
from caxton.sandbox.cache_labels import CacheLabel
from caxton.sandbox.components.wasi_stubs import surround
from caxton.sandbox.engines import engine
from caxton.sandbox.faults import broken, shown
from caxton.sandbox.foreign import world_hint
from caxton.sandbox.profiles import Profile

ABI_VERSION: Final = "abi-version"
LOAD: Final = "load"
ASKS: Final = "asks"
AGAIN: Final = "again"

AGENT: Final = {
    ABI_VERSION: "() -> u32",
    "init": "(string) -> result<_, string>",
    "handle-message": "(string) -> result<list<string>, string>",
    "snapshot": "() -> result<string, string>",
    "restore": "(string) -> result<_, string>",
    "shut-down": "() -> ()",
}
"""The exports of world `agent`, as `described` writes them. `component_calls` reads what they return by these shapes,
so nothing else may pass."""
RUNTIME: Final = {
    LOAD: "(string, string) -> result<_, string>",
    ASKS: "() -> u32",
    AGAIN: "() -> result<string, string>",
}
"""What a component may have besides: a language's runtime takes a source, an agent says what it asks for, and what it
must hear again to be as it was."""


class World:
    """One component and everything that its instances share. Lives as long as something uses it."""

    __slots__ = ("__weakref__", "component", "exports", "label", "linker")

    def __init__(self, component: Component, label: CacheLabel) -> None:
        self.component = component
        self.label = label
        made = engine(Profile.COMPONENT)
        try:
            self.exports = check_world(component)
            if label.source is not None and LOAD not in self.exports:
                raise InvalidModule("the component does not export load, so it takes no source")
            self.linker = Linker(made)
            surround(self.linker, list(component.type.imports(made)), component)
        except InvalidModule as refused:
            raise broken("exports", refused.message, refused.hint) from None
        except wasmtime.WasmtimeError as refused:
            raise broken("imports", f"the component cannot be linked: {shown(str(refused), 200)}") from None


def check_world(component: Component) -> frozenset[str]:
    """The names of the exports of an agent; InvalidModule where it is none, or imports something that is not WASI."""
    made = engine(Profile.COMPONENT)
    for name in component.type.imports(made):
        if not name.startswith("wasi:"):
            raise InvalidModule(
                f"the component imports {shown(name, 64)}",
                hint="an agent may import wasi: interfaces only; it answers by returning messages",
            )
    found = described(component)
    for name, wanted in AGENT.items():
        have = found.get(name)
        if have is None:
            raise InvalidModule(
                f"the component does not export {name}",
                hint=world_hint(component.type.exports(made)),
            )
        if have != wanted:
            raise InvalidModule(f"the component's {name} is {have}, it must be {wanted}")
    for name, wanted in RUNTIME.items():
        if found.get(name, wanted) != wanted:
            raise InvalidModule(f"the component's {name} is {found[name]}, it must be {wanted}")
    return frozenset(found)


def described(component: Component) -> dict[str, str]:
    """The exported functions as name -> type, such as "(string) -> result<_, string>"."""
    made = engine(Profile.COMPONENT)
    found: dict[str, str] = {}
    for name, export in component.type.exports(made).items():
        kind = export.ty
        if isinstance(kind, FuncType):
            given = ", ".join(_name(of) for _, of in kind.params)
            found[name] = f"({given}) -> {_name(kind.result) if kind.result is not None else '()'}"
    return found


def _name(kind: object) -> str:
    """A type as WIT writes it, as far as agents' interfaces have it."""
    match kind:
        case None:
            return "_"
        case ResultType():
            return f"result<{_name(kind.ok)}, {_name(kind.err)}>"
        case ListType():
            return f"list<{_name(kind.element)}>"
        case _:
            return type(kind).__name__.removesuffix("Type").lower()
