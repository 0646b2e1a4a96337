"""What the export of a signal tells of itself: one file beside the journal, written by whoever exports it.

In: counts, the last words of the collector, and for spans the place in the journal that is reached. Out:
`telemetry-SIGNAL.json`, which the next process goes on from; `caxton telemetry status` and the daemon's meters read it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import msgspec

from caxton.telemetry.collector import Answer, Verdict
from caxton.telemetry.otlp_settings import OtlpSettings, Signal
from caxton.telemetry.span_follower import Place

FILE: Final = "telemetry-{}.json"


class ExportCounts(msgspec.Struct):
    """Spans, log records or meters since the process started."""

    accepted: int = 0
    rejected: int = 0
    """Of accepted requests, and not taken."""
    refused: int = 0
    """Of requests that were refused for good, or given up."""
    left_out: int = 0
    """Messages that the sampler did not keep."""
    requests: int = 0
    retries: int = 0

    def answered(self, answer: Answer, many: int) -> None:
        """A collector has answered to so many."""
        self.requests += 1
        match answer.verdict:
            case Verdict.LATER:
                self.retries += 1
            case Verdict.REFUSED:
                self.refused += many
            case Verdict.ACCEPTED:
                rejected = min(max(answer.rejected, 0), many)
                self.accepted += many - rejected
                self.rejected += rejected

    def give_up(self, many: int) -> None:
        """So many were tried often enough."""
        self.refused += many

    def leave_out(self, many: int) -> None:
        """The sampler did not keep so many messages."""
        self.left_out += many


class ExportStatus(msgspec.Struct):
    """All of it; times in microseconds since 1970, 0 for never."""

    endpoint: str
    protocol: str
    pid: int
    started_us: int
    place: Place = msgspec.field(default_factory=Place)
    updated_us: int = 0
    lag: int = 0
    accepted_us: int = 0
    trouble: str = ""
    """Why the latest request was not taken; empty once one is taken in full."""
    trouble_us: int = 0
    counts: ExportCounts = msgspec.field(default_factory=ExportCounts)

    @classmethod
    def of(cls, settings: OtlpSettings) -> ExportStatus:
        """Of a process that begins."""
        return cls(settings.shown, settings.protocol, os.getpid(), now_us())

    def answered(self, answer: Answer, many: int) -> None:
        """A collector has answered to so many entries."""
        self.counts.answered(answer, many)
        self.trouble = answer.why
        if answer.verdict is Verdict.ACCEPTED:
            self.accepted_us = now_us()
            self.trouble = f"{answer.rejected} were not taken: {answer.why}" if answer.rejected else ""
        if self.trouble:
            self.trouble_us = now_us()

    def given_up(self, many: int) -> None:
        """So many entries were tried often enough."""
        self.counts.give_up(many)

    def stands(self, place: Place, lag: int) -> None:
        """So far spans have come."""
        self.place, self.lag = place, lag

    def encoded(self) -> bytes:
        """As it stands now."""
        self.updated_us = now_us()
        return msgspec.json.encode(self)


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def read_status(state: Path, signal: Signal) -> ExportStatus | None:
    """What the file in that folder says, None where there is none or it is not ours."""
    try:
        return msgspec.json.decode((state / FILE.format(signal)).read_bytes(), type=ExportStatus)
    except (OSError, msgspec.DecodeError):
        return None


def write_status(state: Path, signal: Signal, status: ExportStatus) -> None:
    """Put it in the place of the old one, in one step."""
    file_name = FILE.format(signal)
    fresh = state / f"{file_name}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(status.encoded())
    os.replace(fresh, state / file_name)
