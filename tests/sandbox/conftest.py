"""Guests for the tests of the sandbox, and a cell to run them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime

from caxton.limits import Limits
from caxton.sandbox.cell.calls_fast import FastCalls
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.engines import engine
from caxton.sandbox.modules import Revision
from caxton.sandbox.profiles import Profile

from .cell_client import CellClient
from .texts import TRICKS


@pytest.fixture(params=[FastCalls, PublicCalls], ids=["fast", "public"])
def calls(request: pytest.FixtureRequest) -> type[PublicCalls]:
    return request.param


@pytest.fixture(scope="session")
def tricks() -> Revision:
    wasm = bytes(wasmtime.wat2wasm(TRICKS))
    return Revision(wasmtime.Module(engine(Profile.STANDARD), wasm), Profile.STANDARD)


@pytest.fixture
def make(calls: type[PublicCalls], tricks: Revision) -> Iterator[Callable[..., Instance]]:
    made: list[Instance] = []

    def instance(text: str | None = None, **limits: int) -> Instance:
        revision = tricks
        if text is not None:
            wasm = bytes(wasmtime.wat2wasm(text))
            revision = Revision(wasmtime.Module(engine(Profile.STANDARD), wasm), Profile.STANDARD)
        made.append(Instance(revision, Limits(**limits), calls))
        return made[-1]

    yield instance
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def tricks_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("modules") / "tricks.cwasm"
    module = wasmtime.Module(engine(Profile.STANDARD), bytes(wasmtime.wat2wasm(TRICKS)))
    path.write_bytes(bytes(module.serialize()))
    return path


@pytest.fixture(params=["fast", "public"])
def cell(request: pytest.FixtureRequest, tricks_path: Path) -> Iterator[CellClient]:
    client = CellClient(tricks_path, public=request.param == "public")
    yield client
    client.close()
