"""What FIPA's own forms of a message have in common, whether it is spelled as string or as XML.

In: a `FullMessage`. Out: `Parameters`, named and shaped as FIPA has them; and back, exactly. Three things that
Caxton's JSON can say have no place in FIPA's forms and travel in parameters of ours:

- content that is not text is JSON, and its `language` is then `json`; where the message says otherwise,
  `x-caxton-language` keeps what it says (an empty list: nothing);
- a `reply_by` that no FIPA date-time tells exactly is kept beside it in `x-caxton-reply-by`;
- what the host has set is `x-caxton-id`, `x-caxton-timestamp` and so on, and stays without effect when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from caxton.acl import strict
from caxton.acl.agent_id import X_KEY, X_RULE, AgentId
from caxton.acl.date_time import EXPECTED, date_time_of, reply_by_of
from caxton.acl.full_message import TEXTS, FullMessage, checked, host_names
from caxton.acl.json_value import DEPTH, as_text, compact, refuse, with_spelled_numbers
from caxton.acl.reply_by import reply_by_time
from caxton.errors import InvalidMessage

TEXT_NAMES: Final = tuple(name.replace("_", "-") for name in TEXTS)
JSON_LANGUAGE: Final = "json"
_OWN: Final = "caxton-"
_ESCAPED: Final = "caxton-x-"
_LANGUAGE: Final = "caxton-language"
_REPLY_BY: Final = "caxton-reply-by"
_HOST: Final = {_OWN + name.replace("_", "-"): name for name in host_names()}
_EXPECTED: Final = {
    "performative": "one of FIPA's 22 performatives",
    "reply_by": EXPECTED,
    "content": "JSON, the language that it names",
}
_UNSAID: Final = "[]"


@dataclass(slots=True)
class Parameters:
    """A message's parameters by FIPA's names."""

    act: str = ""
    sender: AgentId | None = None
    receiver: list[AgentId] = field(default_factory=list[AgentId])
    reply_to: list[AgentId] = field(default_factory=list[AgentId])
    content: str | None = None
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """The parameters of `TEXT_NAMES`."""
    reply_by: str | None = None
    """A FIPA date-time."""
    own: dict[str, str] = field(default_factory=dict[str, str])
    """JSON text by name, without the `x-` before it."""


def spelled(message: FullMessage) -> Parameters:
    """The parameters that say this message."""
    own: dict[str, str] = {}
    texts = {name.replace("_", "-"): text for name, text in message.texts.items()}
    content, language = message.content, message.text("language")
    if content is not None:
        if _is_json(language):
            pass
        elif content.startswith('"'):
            content = str(with_spelled_numbers(content))
        else:
            own[_LANGUAGE] = _UNSAID if language is None else as_text(language)
            texts["language"] = JSON_LANGUAGE
    reply_by = None
    if message.reply_by is not None:
        reply_by = date_time_of(message.reply_by)
        if _meant(reply_by) != message.reply_by:
            own[_REPLY_BY] = as_text(message.reply_by)
    for key, text in message.extensions.items():
        name = key.removeprefix("x_")
        own[_ESCAPED + name.removeprefix(_OWN) if name.startswith(_OWN) else name] = text
    for name, key in _HOST.items():
        if key in message.host:
            own[name] = message.host[key]
    return Parameters(
        message.performative.value,
        message.sender,
        list(message.receiver),
        list(message.reply_to),
        content,
        {name: texts[name] for name in TEXT_NAMES if name in texts},
        reply_by,
        own,
    )


def understood(said: Parameters) -> FullMessage:
    """The message that these parameters say.

    Raises InvalidMessage; `details["field"]` is the parameter as Caxton's JSON names it.
    """
    own = dict(said.own)
    texts = {name.replace("-", "_"): text for name, text in said.texts.items()}
    content = None
    if said.content is not None:
        if _is_json(texts.get("language")):
            content = _json_content(said.content)
            kept = _text(own.get(_LANGUAGE))
            if kept is not None or own.get(_LANGUAGE) == _UNSAID:
                del own[_LANGUAGE]
                texts = {name: text for name, text in texts.items() if name != "language"}
                if kept is not None:
                    texts["language"] = kept
        else:
            content = as_text(said.content)
    reply_by = None
    if said.reply_by is not None:
        try:
            reply_by = reply_by_of(said.reply_by)
            reply_by_time(reply_by, 0)
        except ValueError as error:
            refuse(f"reply-by: {error}", None, field="reply_by")
        kept = _text(own.get(_REPLY_BY))
        if kept is not None and _is_spelled(kept, said.reply_by):
            reply_by = kept
            del own[_REPLY_BY]
    extensions: dict[str, str] = {}
    host: dict[str, str] = {}
    for name, text in own.items():
        if name in _HOST:
            host[_HOST[name]] = text
            continue
        key = "x_" + (_OWN + name.removeprefix(_ESCAPED) if name.startswith(_ESCAPED) else name)
        if X_KEY.fullmatch(key) is None:
            refuse(
                f"x-{name[:80]} cannot be kept: a parameter's name is {X_RULE}", None, field=f"x_{name[:80]}"
            )
        if key in extensions:
            refuse(f"x-{name[:80]} is there twice", "keep one of them", field=key)
        extensions[key] = text
    return checked(
        strict.performative_of(said.act.lower()),
        sender=said.sender,
        receiver=tuple(said.receiver),
        reply_to=tuple(said.reply_to),
        content=content,
        texts={name: texts[name] for name in TEXTS if name in texts},
        reply_by=reply_by,
        extensions=extensions,
        host=host,
    )


def placed(error: InvalidMessage, line: int, column: int) -> InvalidMessage:
    """The same refusal with its place, and what was expected there."""
    expected = _EXPECTED.get(str(error.details.get("field")), "a value that a message may have")
    details = {"expected": expected, **error.details, "line": line, "column": column}
    return InvalidMessage(f"line {line} column {column}: {error.message}", hint=error.hint, **details)


def _is_json(language: str | None) -> bool:
    return language is not None and language.lower() == JSON_LANGUAGE


def _json_content(text: str) -> str:
    try:
        return compact(text.encode(), "content", DEPTH - 1)
    except InvalidMessage as error:
        hint = "its language is json: write JSON, or name another language"
        refuse(error.message, hint, field="content")


def _text(text: str | None) -> str | None:
    """The string that a JSON text is, where it may be a parameter's text."""
    value = with_spelled_numbers(text) if text is not None else None
    return value if isinstance(value, str) and "\0" not in value and len(value) <= strict.TEXT_MAX else None


def _meant(token: str) -> str | None:
    try:
        return reply_by_of(token)
    except ValueError:
        return None


def _is_spelled(reply_by: str, token: str) -> bool:
    try:
        return date_time_of(reply_by) == token.upper()
    except InvalidMessage:
        return False
