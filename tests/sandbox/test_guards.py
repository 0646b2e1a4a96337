"""Parts without a guest in them, and the host's mistakes that would end a process (security.md 2.3)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.sandbox import output_lines
from caxton.sandbox.cell import selftest
from caxton.sandbox.cell.calls_fast import FastCalls
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.slow_lanes import Lanes
from caxton.sandbox.faults import shown
from caxton.sandbox.processes import command, environment
from caxton.sandbox.profiles import Profile, fingerprint

from .cell_client import CellClient

pytestmark = pytest.mark.system


def test_both_engines_can_be_made_in_one_process() -> None:
    # a wrong setting aborts the process, so this happens in one of its own
    code = (
        "from caxton.sandbox.engines import engine\n"
        "from caxton.sandbox.profiles import Profile\n"
        "[engine(p) for p in Profile]"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_fault_handler_from_the_start_does_no_harm() -> None:
    code = (
        "import faulthandler; faulthandler.enable()\n"
        "from caxton.sandbox.cell import selftest\n"
        "print(selftest.choose()[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "agrees" in done.stdout


def test_deep_recursion_on_a_runner_thread_is_a_trap(cell: CellClient) -> None:
    cell.load(1, fuel=10**12, wall_ms=10_000)
    cell.turn(1, 1, b"r")
    assert cell.result().json["code"] == "stack_overflow"


def test_the_self_test_finds_a_fast_path_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert selftest.choose()[0] is FastCalls
    right = FastCalls.exchange

    def wrong(self: FastCalls, at: int, message: bytes, address: int, most: int) -> object:
        returned, in_ptr, in_cap, output = right(self, at, message, address, most)
        return returned, in_ptr, in_cap, output[:-1]

    monkeypatch.setattr(FastCalls, "exchange", wrong)
    calls, why = selftest.choose()
    assert calls is PublicCalls
    assert "another result" in why


def test_another_version_or_a_wish_keeps_the_fast_path_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "version", lambda _: "51.0.0")
    assert selftest.choose()[0] is PublicCalls
    monkeypatch.undo()
    monkeypatch.setenv(selftest.FORCED, "public")
    assert selftest.choose()[0] is PublicCalls


def test_a_child_gets_no_secret_of_the_daemons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "canary")
    assert "canary" not in environment().values()
    assert command("x")[1] == "-P"


def test_a_fingerprint_names_what_the_code_depends_on() -> None:
    assert fingerprint(Profile.STANDARD) != fingerprint(Profile.STRICT)
    assert "wasmtime-50.0.1" in fingerprint(Profile.STANDARD)


@given(st.text())
def test_shown_text_is_one_printable_line(text: str) -> None:
    out = shown(text, 40)
    assert len(out) <= 40
    assert "\n" not in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("line", "control"),
    [
        (b'{"caxton":"log"}', True),
        (b' { "caxton" : 1}', True),
        (b'{"caxtons":1}', False),
        (b'{"a":{"caxton":1}}', False),
        (b"[]", False),
    ],
)
def test_a_line_for_the_host_is_known_by_its_first_key(line: bytes, control: bool) -> None:
    assert output_lines.is_control(line) is control


@given(st.lists(st.sampled_from([b'{"a":1}', b'{"caxton":1}', b"", b" \t", b'{"b":2}\r']), max_size=20))
def test_lines_are_counted_as_they_are_split(parts: list[bytes]) -> None:
    output = b"\n".join(parts)
    messages = sum(1 for part in parts if part.startswith((b'{"a"', b'{"b"')))
    assert output_lines.count(output, 100) == messages
    assert sum(1 for line in output_lines.split(output) if not output_lines.is_control(line)) == messages
    assert output_lines.count(output + b"\n" + b"x" * 101, 100) == -1


def test_lanes_keep_the_order_and_merge() -> None:
    lanes = Lanes()
    first, second = lanes.open([1]), lanes.open([2])
    assert not lanes.defer((1, 3, 0, b""), [3])
    swap, later = (6, 2, 1, b""), (1, 1, 2, b"")
    assert lanes.defer(swap, [2, 1])
    assert lanes.defer(later, [1])
    # the frame waits in the lane of its own slot, behind the end of the other
    assert lanes.next(first) is None
    assert lanes.slots() == {1, 2}
    waited = lanes.next(second)
    assert isinstance(waited, threading.Event)
    assert waited.is_set()
    assert [lanes.next(second), lanes.next(second), lanes.next(second)] == [swap, later, None]
    assert (lanes.count, lanes.slots()) == (0, frozenset())


def test_a_cell_ends_with_its_daemon(tricks_path: Path) -> None:
    client = CellClient(tricks_path)
    client.load(1, wall_ms=60_000, fuel=10**12)
    client.turn(1, 1, b"s")
    # a guest that spins does not keep its cell alive
    client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(client.process.pid, 0)
