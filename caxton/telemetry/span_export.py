"""The process that exports spans: follows the journal and sends what it finds, until the daemon ends.

    python -m caxton.telemetry.span_export --project DIR --from SEQ

In: the journal of a project whose daemon runs, and that daemon as the other end of standard input. Out: requests to a
collector, and `telemetry-traces.json`. It may lag as far as it has to: the daemon waits for it nowhere. What the
collector cannot take now is tried again, `FIRST_PAUSE_S` later and then twice as long each time; the place in the
journal stays meanwhile, so nothing gathers in memory. When standard input ends, however the daemon ended, it sends
what it still can within `LAST_WORDS_S` and goes.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from caxton import __version__
from caxton.config import load
from caxton.errors import CaxtonError
from caxton.journal.following import JournalFollower
from caxton.telemetry.collector import Collector, Verdict, collector
from caxton.telemetry.export_status import ExportStatus, read_status, write_status
from caxton.telemetry.logs import configure
from caxton.telemetry.otlp import resource, traces
from caxton.telemetry.otlp_settings import OtlpSettings, otlp_settings, sampling
from caxton.telemetry.resource import resource_of
from caxton.telemetry.span_follower import Piece, Place, SpanFollower

POLL_S: Final = 0.5
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
LAST_WORDS_S: Final = 3.0
NICE: Final = 10
"""How far it gives way to the daemon."""

log = structlog.get_logger("caxton.telemetry")


class SpanExport:
    """Takes pieces from a follower and sends them, one after the other."""

    def __init__(
        self,
        follower: SpanFollower,
        sink: Collector,
        settings: OtlpSettings,
        resource: bytes,
        state: Path,
        closing: threading.Event,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._follower = follower
        self._sink = sink
        self._resource = resource
        self._state = state
        self._closing = closing
        self._now_s = now_s
        self._pause_s = FIRST_PAUSE_S
        self.status = ExportStatus.of(settings)

    def run(self) -> None:
        """Until `closing`, and what is left then."""
        self._tell()
        while not self._closing.is_set():
            if not self.step():
                self._closing.wait(POLL_S)
        self._sink.hurry(LAST_WORDS_S)
        until = self._now_s() + LAST_WORDS_S
        while self._now_s() < until and self.step(closing=True):
            pass
        self._tell()

    def step(self, *, closing: bool = False) -> bool:
        """Send the next piece; whether there was one and it is done with."""
        piece = self._follower.next(self._now_s(), closing=closing)
        if piece is None:
            if self.status.lag != self._follower.lag:
                self._tell()
            return False
        if piece.spans and not self._sent(piece):
            return False
        self._follower.reached(piece)
        self.status.counts.leave_out(piece.left_out)
        self._tell()
        return True

    def _sent(self, piece: Piece) -> bool:
        """Send it until it is taken or refused; False where the end came first."""
        status, many = self.status, len(piece.spans)
        request = traces(self._resource, piece.spans)
        while True:
            answer, before = self._sink.send(request), status.trouble
            status.answered(answer, many)
            match answer.verdict:
                case Verdict.ACCEPTED:
                    self._pause_s = FIRST_PAUSE_S
                    if before and not status.trouble:
                        log.info("the collector takes spans", lag=self._follower.lag)
                    return True
                case Verdict.REFUSED:
                    log.warning("spans were refused", count=many, reason=answer.why)
                    return True
                case Verdict.LATER:
                    if not before:
                        log.warning(
                            "the collector takes no spans now; they wait in the journal", reason=answer.why
                        )
                    self._tell()
            # not all at once where many were turned away together
            pause = self._pause_s * (0.8 + 0.4 * random.random())
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            if self._closing.wait(min(answer.after_s or pause, LONGEST_PAUSE_S)):
                return False

    def _tell(self) -> None:
        status = self.status
        status.stands(self._follower.place, self._follower.lag)
        try:
            write_status(self._state, "traces", status)
        except OSError as error:
            # a full disk: the same spans may be sent twice after a restart
            log.warning("its status cannot be written", reason=str(error))


def place_of(before: ExportStatus | None, journal: str, last: int, begin: int) -> Place:
    """Where to go on: where the last process stopped on this very journal, which may have been put back since; else
    behind `begin`."""
    if before is not None and before.place.journal == journal and before.place.cursor <= last:
        return before.place
    return Place(journal, begin)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until standard input ends; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m caxton.telemetry.span_export", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, help="the project's folder")
    parser.add_argument(
        "--from", type=int, required=True, dest="begin", help="the journal's last number so far"
    )
    parser.add_argument("--instance", required=True, help="the daemon's service.instance.id")
    chosen = parser.parse_args(arguments)
    closing = threading.Event()
    threading.Thread(target=_watch, args=(closing,), daemon=True).start()
    try:
        project = load(chosen.project)
        configure(project.config.log.format, project.config.log.level, sys.stderr)
        os.nice(NICE)
        settings = otlp_settings(project.config.telemetry, "traces", os.environ)
        if settings is None:
            return 0
        # the folder may be moved while we run
        os.chdir(project.state)
        state = Path()
        journal = JournalFollower(state / "journal.db")
        install = (state / "journal.id").read_text("ascii").strip()
        with journal.moment() as bounds:
            place = place_of(read_status(state, "traces"), install, bounds.last, chosen.begin)
        follower = SpanFollower(journal, place, sampling(project.config.telemetry, os.environ))
        attributes = resource_of(project.config.name, chosen.instance, os.environ)
        export = SpanExport(follower, collector(settings), settings, resource(attributes), state, closing)
        log.info("spans are exported", endpoint=settings.shown, after=place.cursor, version=__version__)
        export.run()
    except CaxtonError as error:
        log.error(error.message, hint=error.hint)
        return int(error.exit)
    return 0


def _watch(closing: threading.Event) -> None:
    """Wait for the daemon's end: then nobody has the other end of standard input."""
    while os.read(0, 4096):
        pass
    closing.set()
    time.sleep(LAST_WORDS_S + 2)
    # in the middle of a request that nobody answers
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
