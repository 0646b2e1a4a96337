"""What the first picture costs: `just first-frame [RUNS]`.

In: nothing. Out: seconds of processor time of `caxton demo`, from its start until its terminal interface stands on a
real terminal (a pty of 120×40); the daemon that it starts is another process and does not count.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from contextlib import suppress
from statistics import median

STANDS = b"CONVERSATION"
"""What only the finished picture says."""
PATIENCE_S = 120.0


def first_frame() -> float:
    """One start; the processor time until the picture stood."""
    process, master = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "caxton.cli", "demo"])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    until, seen = time.monotonic() + PATIENCE_S, b""
    while STANDS not in seen:
        assert select.select([master], [], [], until - time.monotonic())[0], seen[-500:]
        seen = seen[-200:] + os.read(master, 65536)
    used = _processor_time(process)
    os.write(master, b"q")
    _drain(master)
    os.waitpid(process, 0)
    os.close(master)
    return used


def _processor_time(process: int) -> float:
    with open(f"/proc/{process}/stat", "rb") as file:
        user, system = file.read().rsplit(b")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        # how Linux says that the other end of a pty is gone
        pass


def main(runs: str = "5") -> None:
    """Measure so often."""
    with suppress(PermissionError):
        # on a busy machine, too, look at the very moment at which the picture stands
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    taken = sorted(first_frame() for _ in range(int(runs)))
    sys.stdout.write(
        f"first picture: {median(taken):.2f} s of processor time ({taken[0]:.2f} to {taken[-1]:.2f}, {runs} starts), "
        f"load {os.getloadavg()[0]:.0f}\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
