"""One engine for each profile: code of one in a store of another ends the process."""

from __future__ import annotations

import sys
import threading

import pytest
import wasmtime

from caxton.sandbox import engines
from caxton.sandbox.profiles import Profile


def test_threads_that_ask_at_once_get_the_same_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_engines", {})
    together = threading.Barrier(8)
    found: list[wasmtime.Engine] = []

    def ask() -> None:
        together.wait()
        found.append(engines.engine(Profile.COMPONENT))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len(found) == 8
    assert len({id(one) for one in found}) == 1
