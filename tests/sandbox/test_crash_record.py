"""What a cell had in hand can be read when it is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from caxton.sandbox.crash_record import PLACES, CrashRecord, shared

pytestmark = pytest.mark.system

CHILD = """
import sys
from caxton.sandbox.crash_record import CrashRecord
box = CrashRecord(int(sys.argv[1]))
box.hands[box.free.popleft()] = 7
box.hands[box.free.popleft()] = 9
box.hands[0] = 0
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_what_it_had_in_hand() -> None:
    fd = shared()
    box = CrashRecord(fd)
    assert box.in_hand() == frozenset()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(fd)],
        pass_fds=(fd,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    os.close(fd)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert box.in_hand() == {9}
    box.close()


def test_there_is_a_place_for_every_runner() -> None:
    fd = shared()
    box = CrashRecord(fd)
    os.close(fd)
    assert len(box.free) == len(box.hands) == PLACES
    box.close()
