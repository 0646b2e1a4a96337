"""The daemon's log: readable lines or one JSON object a line, with trace and span ids where there are any.

In: events with fields. Out: lines on one stream. What a guest or a client wrote cannot break a line or move a
cursor: control characters are escaped and long values cut. Records of other packages (uvicorn, asyncio) take
the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec
import structlog

from caxton.access import redacted

LONGEST_VALUE = 2_000
"""Characters of one value that reach the log; the rest is cut and its length said."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    ord("\n"): "\\n",
    ord("\t"): "\\t",
    ord("\r"): "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}

_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def configure(
    style: str, level: str, stream: TextIO, handler: logging.StreamHandler[TextIO] | None = None
) -> None:
    """Send every record of this process to `stream`: `style` is "text" or "json", `level` the least kept; by `handler`
    where one is given."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        _harmless,
    ]
    last: structlog.types.Processor = _json if style == "json" else _text
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = handler or logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def logger(package: str) -> structlog.stdlib.BoundLogger:
    """The log of one package; every record carries `caxton.PACKAGE` as its logger."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(f"caxton.{package}")
    return bound


@contextmanager
def traced(trace_id: str, span_id: str) -> Generator[None]:
    """Put these ids on every record that is written inside, whichever package writes it."""
    with structlog.contextvars.bound_contextvars(trace_id=trace_id, span_id=span_id):
        yield


def harmless(text: str) -> str:
    """The text on one line without control characters and secrets, cut where it is very long."""
    if not text.isascii():
        # half a surrogate pair could not be written
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) > LONGEST_VALUE:
        text = f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
    return redacted(text).translate(_CONTROLS)


def _harmless(_: object, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in record.items():
        if isinstance(value, str) and key != "exception":
            record[key] = harmless(value)
    return record


def _json(_: object, __: str, record: MutableMapping[str, Any]) -> str:
    # inside lists and objects too: JSON need not escape these, and terminals obey some of them
    return redacted(msgspec.json.encode(dict(record), enc_hook=repr).decode()).translate(_JSON_CONTROLS)


def _text(_: object, __: str, record: MutableMapping[str, Any]) -> str:
    fields = dict(record)
    at, level, event = fields.pop("at"), fields.pop("level"), fields.pop("event")
    room = str(fields.pop("logger", "")).removeprefix("caxton.")
    trace = fields.pop("exception", None)
    pairs = " ".join(f"{key}={_value(value)}" for key, value in fields.items())
    line = f"{at} {level:<7} {room:<8} {event}" + (f"  {pairs}" if pairs else "")
    return f"{line}\n{_indented(str(trace))}" if trace else line


def _value(value: object) -> str:
    if isinstance(value, str):
        return value if value and " " not in value and "=" not in value else f'"{value}"'
    return harmless(str(value))


def _indented(trace: str) -> str:
    kept = {code: text for code, text in _CONTROLS.items() if code != ord("\n")}
    return "\n".join(f"    {line}" for line in redacted(trace).translate(kept).splitlines())
