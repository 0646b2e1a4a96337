"""The daemon's side of a cell, as plainly as it goes: blocking, one socket pair, one real cell process."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from caxton.limits import Limits
from caxton.sandbox import frames
from caxton.sandbox.processes import command, environment

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Result:
    kind: int
    status: int
    count: int
    slot: int
    seq: int
    fuel: int
    turn_us: int
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class CellClient:
    def __init__(self, module: Path, *, public: bool = False) -> None:
        ours, theirs = socket.socketpair()
        self.module = module
        self.stream = ours
        ours.settimeout(20)
        surroundings = {**environment(), "CAXTON_CALLS": "public" if public else ""}
        with theirs:
            self.process = subprocess.Popen(
                command("caxton.sandbox.cell", "--fd", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                env=surroundings,
            )
        self.hello = self.result()
        assert self.hello.json["fast"] is not public

    def send(self, kind: int, slot: int, seq: int, payload: bytes = b"") -> None:
        self.stream.sendall(frames.frame(kind, slot, seq, payload))

    def turn(self, slot: int, seq: int, message: bytes) -> None:
        self.send(frames.Kind.TURN, slot, seq, message)

    def load(self, slot: int, state: bytes = b"", *, settings: Any = None, **limits: int) -> Result:
        asked = frames.Load(
            agent="a",
            revision="r",
            module=str(self.module),
            limits=Limits(**limits),
            settings=settings,
            restore=bool(state),
        )
        return self.ask(frames.Kind.LOAD, slot, frames.load_payload(asked, state))

    def ask(self, kind: int, slot: int, payload: bytes = b"") -> Result:
        self.send(kind, slot, 0, payload)
        return self.result()

    def swap(self, slot: int, source: int, *, carry: bool = True) -> Result:
        return self.ask(frames.Kind.SWAP, slot, msgspec.json.encode(frames.Swap(source=source, carry=carry)))

    def result(self) -> Result:
        kind, status, count, slot, length, seq, fuel, _, turn_us = frames.RESULT.unpack(
            self._exactly(frames.RESULT.size)
        )
        return Result(kind, status, count, slot, seq, fuel, turn_us, self._exactly(length))

    def results(self, many: int) -> list[Result]:
        return [self.result() for _ in range(many)]

    def close(self) -> None:
        self.stream.close()
        try:
            assert self.process.wait(20) == 0
        finally:
            self.process.kill()
            self.process.wait()

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            got = self.stream.recv(size - len(data))
            assert got, "the cell ended"
            data += got
        return bytes(data)
