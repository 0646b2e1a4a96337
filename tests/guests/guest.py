"""A guest driven by hand through wasmtime's documented API, as ABI 1 says (DESIGN.md 4).

In: a module and messages as JSON. Out: what one call returned and wrote. It knows nothing of Caxton's own
sandbox, so the examples are tested against the document and not against our host.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import wasmtime

EXAMPLES = Path(__file__).resolve().parents[2] / "agents-examples"
FUEL = 100_000_000

Json = dict[str, Any]


class Guest:
    """One instance of an example; `name` is its path below agents-examples without `.wasm`."""

    def __init__(self, name: str, settings: Json | None = None, *, memory: int = 16 << 20) -> None:
        config = wasmtime.Config()
        config.consume_fuel = True
        config.wasm_bulk_memory = False  # as in profile strict
        config.wasm_relaxed_simd = False
        config.wasm_simd = False
        engine = wasmtime.Engine(config)
        self.store = wasmtime.Store(engine)
        self.store.set_limits(memory_size=memory)
        module = wasmtime.Module.from_file(engine, str(EXAMPLES / f"{name}.wasm"))
        assert not list(module.imports)
        self.store.set_fuel(FUEL)
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        memory_export = self.exports["memory"]
        assert isinstance(memory_export, wasmtime.Memory)
        self.memory = memory_export
        self.box = self.function("caxton_abi")(self.store)
        assert self.mailbox()[:2] == (0x31415843, 1 << 16)
        if settings is not None:
            assert self.call("caxton_init", {"name": name, "settings": settings}) == (0, b"")

    def function(self, name: str) -> wasmtime.Func:
        found = self.exports[name]
        assert isinstance(found, wasmtime.Func)
        return found

    def mailbox(self) -> tuple[int, ...]:
        return struct.unpack("<8I", self.memory.read(self.store, self.box, self.box + 32))

    def call(self, name: str, argument: Json | bytes | None = None) -> tuple[int, bytes]:
        """Call an export with that JSON (or none): its return value and its output."""
        self.store.set_fuel(FUEL)
        arguments: list[int] = []
        if argument is not None:
            text = argument if isinstance(argument, bytes) else json.dumps(argument).encode()
            _, _, _, where, room, _, _, _ = self.mailbox()
            if len(text) > room:
                where = self.function("caxton_alloc")(self.store, len(text))
                assert where == self.mailbox()[3]
                assert self.mailbox()[4] >= len(text)
            self.memory.write(self.store, text, where)
            arguments = [where, len(text)]
        returned = self.function(name)(self.store, *arguments)
        _, _, _, _, _, out, length, cap = self.mailbox()
        assert length <= cap
        assert out + length <= self.memory.data_len(self.store)
        return returned, bytes(self.memory.read(self.store, out, out + length))

    def turn(self, message: Json | bytes) -> list[Json]:
        """The messages that one turn sends; log records are left out."""
        count, output = self.call("handle_message", message)
        assert count >= 0, output
        lines = [json.loads(line) for line in output.splitlines()]
        said = [line for line in lines if "caxton" not in line]
        assert count == len(said)
        return said

    def snapshot(self) -> bytes:
        """The guest's state."""
        returned, state = self.call("caxton_snapshot")
        assert returned >= 0, state
        return state


def message(performative: str, content: object = None, **parameters: object) -> Json:
    """A message as the host delivers it: an answer needs no more than this."""
    return {
        "id": "5e0f2b6c-1f4b-8c3d-9a77-000000000001",
        "performative": performative,
        "sender": "tester@local",
        "receiver": ["guest@local"],
        "content": content,
        "conversation_id": "c-1",
        "reply_with": "r-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
        "timestamp": 1_795_342_830_123_456,
    } | parameters
