"""How the processes of this room are started: command line, surroundings, and what they do first.

They get no environment variable of the daemon's but those named here, so a secret in it does not reach a
process that reads hostile bytes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

import caxton

_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CAXTON_CALLS", "TMPDIR")


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules in a Python process of its own."""
    # -P: the folder that the daemon was started in must not shadow a module
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """The whole environment of such a process."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    root = str(Path(caxton.__file__).resolve().parent.parent)
    return {"PATH": os.defpath, "PYTHONPATH": root, **kept}


def die_with_parent() -> None:
    """On Linux: be killed when the thread that started this process ends. Elsewhere the closed pipe ends
    it."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
