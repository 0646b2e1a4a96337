"""The turn in hand: what an agent in Python says in it, and what it logs.

Not a module of the daemon: it is baked into the Python runtime (`caxton_runtime.py`), as `caxton_calls.py` is.
"""

# mypy: disable-error-code="no-any-return,unused-ignore"

from typing import Any, ClassVar, cast

from caxton_numbers import ExactNumber, encode  # type: ignore[import-not-found]

LEVELS = ("debug", "info", "warning", "error")
FIELDS = (
    *("conversation_id", "encoding", "in_reply_to", "language", "ontology", "protocol"),
    *("receiver", "reply_by", "reply_to", "reply_with"),
)


class Turn:
    """What the turn in hand has said."""

    lines: ClassVar[list[str]] = []
    logs: ClassVar[list[str]] = []
    open = False
    put_back = False
    """Whether the message in hand is put back."""
    to: ClassVar[dict[str, Any]] = {}
    """Where a reply goes, unless it says so itself; empty where it goes to the sender of the message in hand."""

    @classmethod
    def begin(cls) -> None:
        """A turn begins: from here on something may be said."""
        cls.lines, cls.open, cls.put_back = [], True, False

    @classmethod
    def end(cls) -> None:
        """It is over."""
        cls.open = False

    @classmethod
    def put(cls) -> None:
        """The message in hand is put back."""
        if not cls.open:
            raise RuntimeError("a message is put back while it is handled: call this from handle(message)")
        if cls.lines:
            raise RuntimeError("put_back means: not now; a turn that puts its message back sends nothing")
        cls.put_back = True

    @classmethod
    def take_back(cls, mark: int = 0) -> None:
        """Nothing of what was said behind that line is said."""
        del cls.lines[mark:]

    @classmethod
    def logged(cls) -> list[str]:
        """What was logged, and nothing of it is left."""
        logs, cls.logs = cls.logs, []
        return logs

    @classmethod
    def replies(cls, to: dict[str, Any]) -> None:
        """From here on a reply goes there."""
        cls.to = to


def say(performative: str, content: object, fields: dict[str, object]) -> None:
    """Write a message down, to be sent when the turn has ended well."""
    if not Turn.open:
        raise RuntimeError("messages are sent while one is handled: call this from handle(message)")
    if Turn.put_back:
        raise RuntimeError("put_back means: not now; a turn that puts its message back sends nothing")
    for key in fields:
        if key not in FIELDS and not key.startswith("x_"):
            raise TypeError(f"a message has no field {key!r}; there are: {', '.join(FIELDS)}, and x_…")
    if "receiver" not in fields:
        fields = {**Turn.to, **fields}
    message = {"performative": str(performative), **fields}
    if content is not None:
        message["content"] = content
    try:
        line = encode(message)
        line.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the message is no text: {error.object[error.start]!r} is half of a surrogate pair"
        ) from None
    except (TypeError, ValueError) as error:
        raise TypeError(f"the message is no JSON: {error}") from None
    Turn.lines.append(line)


def record(level: str, text: str) -> str:
    """A line of the agent's log, as the turn hands it out."""
    return encode({"caxton": "log", "level": level, "message": readable(text)})


def readable(text: str) -> str:
    """The same text, with halves of surrogate pairs as people read them: nothing else may leave the sandbox."""
    return text.encode("utf-8", "backslashreplace").decode()


def check(value: object, place: str) -> None:
    """Whether it comes back from JSON as it is; TypeError names the first place where it does not."""
    if isinstance(value, dict):
        for key, one in cast("dict[object, object]", value).items():
            if type(key) is not str:
                raise TypeError(f"{place} has the key {key!r}: keys must be text to be kept")
            _whole(key, place)
            check(one, f"{place}[{key!r}]")
    elif isinstance(value, list):
        for index, one in enumerate(cast("list[object]", value)):
            check(one, f"{place}[{index}]")
    elif isinstance(value, float):
        if value - value != 0 and type(value) is not ExactNumber:
            raise TypeError(f"{place} is {value}: that is no JSON")
    elif type(value) is str:
        _whole(value, place)
    elif value is not None and type(value) not in (int, bool):
        raise TypeError(
            f"{place} is a {type(value).__name__}: only dict, list, str, int, float, bool, None are kept"
        )


def _whole(text: str, place: str) -> None:
    if not text.isascii() and readable(text) != text:
        raise TypeError(f"{place} has {readable(text)!r}: half of a surrogate pair is not kept")
