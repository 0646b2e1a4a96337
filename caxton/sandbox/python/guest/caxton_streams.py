"""What an agent prints or logs by the module `logging`: records of its log, as `log` makes them."""

# mypy: disable-error-code="unused-ignore"

import io
import logging

from caxton_turn import LEVELS, Turn  # type: ignore[import-not-found]
from caxton_turn import record as line  # type: ignore[import-not-found]


class Stream(io.TextIOBase):
    """Standard output and error: whole lines become log records."""

    def __init__(self, level: str) -> None:
        self.level = level
        self.rest = ""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str, /) -> int:
        """Keep what is not a whole line yet."""
        *lines, self.rest = (self.rest + text).split("\n")
        for one in lines:
            Turn.logs.append(line(self.level, one))
        return len(text)

    def end(self) -> None:
        """The turn is over: what has no line end yet is a line, too."""
        if self.rest:
            self.write("\n")


class Records(logging.Handler):
    """Where the module `logging` writes to."""

    def emit(self, record: logging.LogRecord) -> None:
        """A record of ours for one of theirs."""
        place = min(max(record.levelno // 10 - 1, 0), 3)
        Turn.logs.append(line(LEVELS[place], self.format(record)))


OUT, ERROR = Stream("info"), Stream("warning")
