"""The socket: private from its first instant, never taken from a living daemon, found at any path."""

from __future__ import annotations

import os
import socket as sockets
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.process import ROOT
from caxton import daemon_socket
from caxton.daemon_socket import About
from caxton.errors import InvalidState, SecurityError

ABOUT = About(pid=os.getpid(), version="0", started_us=1)


def mode(path: Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_socket_and_folder_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        listener = daemon_socket.listen(tmp_path / ".caxton")
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert mode(listener.path) == 0o600
    assert mode(tmp_path / ".caxton") == 0o700
    assert listener.path == daemon_socket.socket_path(tmp_path / ".caxton")
    assert daemon_socket.answers(listener.path)
    listener.close()
    assert not listener.path.exists()
    assert not daemon_socket.answers(listener.path)


def test_a_live_socket_is_left_alone_and_a_dead_one_replaced(tmp_path: Path) -> None:
    first = daemon_socket.listen(tmp_path)
    with pytest.raises(InvalidState, match="already listens"):
        daemon_socket.listen(tmp_path)
    assert daemon_socket.answers(first.path)
    # what kill -9 leaves behind: a file that nobody listens on
    first.socket.close()
    assert first.path.exists()
    second = daemon_socket.listen(tmp_path)
    assert daemon_socket.answers(second.path)
    first.close()
    assert second.path.exists(), "closing the old one must not take the new one's file"
    second.close()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / daemon_socket.SOCKET).write_text("mine")
    with pytest.raises(InvalidState, match="not a socket"):
        daemon_socket.listen(tmp_path)
    assert (tmp_path / daemon_socket.SOCKET).read_text() == "mine"


def test_a_long_path_goes_elsewhere_and_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Path("/tmp") / f"cx-{os.getpid()}"
    runtime.mkdir(0o700)
    try:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        state = tmp_path / ("a" * 60) / ("b" * 60) / ".caxton"
        listener = daemon_socket.listen(state)
        assert len(os.fsencode(listener.path)) <= daemon_socket.LONGEST_PATH
        assert listener.path.parent == runtime / "caxton"
        assert mode(listener.path.parent) == 0o700
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert daemon_socket.socket_path(state) == listener.path
        assert daemon_socket.answers(daemon_socket.socket_path(state))
        listener.close()
    finally:
        for path in (runtime / "caxton", runtime):
            path.rmdir()


def test_a_folder_that_others_may_read_is_closed_and_a_link_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(0o755)
    daemon_socket.private_folder(tmp_path / "open")
    assert mode(tmp_path / "open") == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(SecurityError):
        daemon_socket.private_folder(tmp_path / "link")


def test_one_daemon_holds_a_project(tmp_path: Path) -> None:
    assert not daemon_socket.is_held(tmp_path)
    with daemon_socket.claim(tmp_path, ABOUT):
        assert daemon_socket.is_held(tmp_path)
        assert daemon_socket.read_about(tmp_path) == ABOUT
        with (
            pytest.raises(InvalidState, match=f"process {os.getpid()}"),
            daemon_socket.claim(tmp_path, ABOUT),
        ):
            pass
        assert mode(tmp_path / daemon_socket.ABOUT) == 0o600
    assert not daemon_socket.is_held(tmp_path)
    assert daemon_socket.read_about(tmp_path) is None


@pytest.mark.crash
def test_a_killed_daemon_holds_nothing(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from caxton.daemon_socket import About, claim
with claim(Path({str(tmp_path)!r}), About(os.getpid(), "0", 1)):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -9
    assert not daemon_socket.is_held(tmp_path)
    with daemon_socket.claim(tmp_path, ABOUT):
        assert daemon_socket.read_about(tmp_path) == ABOUT


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who the peer is")
def test_the_peer_is_known() -> None:
    ours, theirs = sockets.socketpair()
    with ours, theirs:
        assert daemon_socket.peer_uid(ours) == os.getuid()
