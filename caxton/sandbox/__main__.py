"""The fork server of one daemon. Run as `python -m caxton.sandbox --fd N` with a stream socket as N."""

from __future__ import annotations

import argparse
import signal
import socket

from caxton.sandbox.cell.__main__ import main as cell
from caxton.sandbox.compile.__main__ import main as compile_child
from caxton.sandbox.forks.server import serve
from caxton.sandbox.processes import die_with_parent

PROGRAMS = {"cell": cell, "compile": compile_child}


def main() -> None:
    """Serve one socket until it is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="the socket to the daemon")
    stream = socket.socket(fileno=parser.parse_args().fd)
    die_with_parent()
    # a terminal's interrupt goes to the whole group; the daemon decides when its processes end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(stream, PROGRAMS)


if __name__ == "__main__":
    main()
