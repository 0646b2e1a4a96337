"""`caxton dev` in a terminal: a build that the gate stops waits for a key."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.client import Client
from caxton.daemon_socket import socket_path

from .running import ROOT

pytestmark = pytest.mark.system

PATIENCE_S = 60.0


class Terminal:
    """`caxton dev` on a terminal of its own; what it shows, without colours."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "caxton.cli", "dev", "--ui", "stream", "--gate-time", "30s"],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )
        os.close(theirs)
        self._shown = ""

    def until(self, pattern: str) -> str:
        """What is shown up to the first match, the match included."""
        end = time.monotonic() + PATIENCE_S
        while (found := re.search(pattern, self._shown)) is None:
            left = end - time.monotonic()
            assert left > 0, f"{pattern!r} was not shown:\n{self._shown}"
            if select.select([self._ours], [], [], left)[0]:
                self._shown += os.read(self._ours, 65_536).decode("utf-8", "replace")
        shown, self._shown = self._shown[: found.end()], self._shown[found.end() :]
        return shown

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def close(self) -> None:
        os.close(self._ours)


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """The loop in a terminal, ended as by its window's closing."""
    one = Terminal(folder)
    try:
        yield one
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(PATIENCE_S) == 0
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        one.close()


def test_a_build_that_was_stopped_waits_for_a_key(tmp_path: Path) -> None:
    source = tmp_path / "tally.wat"
    source.write_bytes(tally())
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wasm"\n')
    with terminal(tmp_path) as dev, Client(socket_path(tmp_path / ".caxton"), 30.0) as caxton:
        dev.until("watching for saves")
        sent = caxton.send({"performative": "request", "receiver": "tally"}, wait_s=10)
        caxton.pin(sent.conversation_id)
        first = caxton.agent("tally").revision

        source.write_bytes(tally(tag="two", step=2))
        shown = dev.until("a accept, d difference, x drop")
        assert "an answer changes in pinned" in shown
        assert "0 same, 1 changed, 0 illegal" in shown
        dev.press("d")
        assert '"00000001" → "00000002"' in dev.until(r"0000002\"")
        dev.press("l")  # it asks nothing anew, so the gate finds the same
        dev.until("a accept, d difference, x drop")
        dev.press("q")  # no key of ours
        dev.press("x")
        dev.until("dropped")
        assert caxton.agent("tally").revision == first

        source.write_bytes(tally(tag="three", step=3))
        dev.until("a accept, d difference, x drop")
        dev.press("a")
        dev.until("state rebuilt")
        assert caxton.agent("tally").revision != first
        dev.press("a")  # nothing waits any more
        sent = caxton.send({"performative": "request", "receiver": "tally"}, wait_s=10)
        assert sent.replies[0].message.content == "00000006"
