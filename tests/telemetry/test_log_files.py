"""The daemon's log, begun anew where it gets large."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from caxton.telemetry.log_files import LOOK_EVERY, RotatingHandler

ROWS = 12 * LOOK_EVERY


def write(handler: RotatingHandler, text: str) -> None:
    handler.emit(logging.LogRecord("caxton", logging.INFO, "", 0, text, None, None))


def test_no_line_is_lost_and_the_oldest_file_goes(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    # as the daemon has it: opened by somebody else, and a child writes to the same file
    with log.open("a") as stream, log.open("a") as child:
        handler = RotatingHandler(stream, log, 2 * LOOK_EVERY * 10, 3)
        for number in range(ROWS):
            write(handler, f"line {number:04}")
        child.write("a child\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "daemon.log",
        "daemon.log.1",
        "daemon.log.2",
        "daemon.log.3",
    ]
    newest_last = [tmp_path / f"daemon.log.{number}" for number in (3, 2, 1)]
    lines = "".join(path.read_text() for path in [*newest_last, log]).splitlines()
    assert lines[-1] == "a child"
    first = int(lines[0].split()[1])
    assert lines[:-1] == [f"line {number:04}" for number in range(first, ROWS)]
    assert os.stat(newest_last[0]).st_mode & 0o077 == 0


def test_a_stream_that_is_not_the_file_is_left_alone(tmp_path: Path) -> None:
    log, other = tmp_path / "daemon.log", tmp_path / "elsewhere"
    log.write_text("of another day\n")
    with other.open("a") as stream:
        handler = RotatingHandler(stream, log, 10, 3)
        for number in range(LOOK_EVERY):
            write(handler, f"line {number:04}")
    assert log.read_text() == "of another day\n"
    assert len(other.read_text().splitlines()) == LOOK_EVERY
    assert not log.with_name("daemon.log.1").exists()
