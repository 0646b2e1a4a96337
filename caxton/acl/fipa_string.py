"""Messages in FIPA's string form (FIPA00070, `fipa.acl.rep.string.std`).

    (request :sender (agent-identifier :name buyer@local) :receiver (set (agent-identifier :name echo@local))
     :content "hello" :conversation-id market-1)

In: bytes from anybody. Out: `FullMessage`s, or `InvalidMessage` with line, column and what was expected; and back,
so that reading what was written gives the same message. Time is linear, nesting and size are bounded.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from caxton.acl.agent_id import RESOLVERS_DEPTH, X_KEY, AgentId
from caxton.acl.date_time import EXPECTED, is_date_time
from caxton.acl.fipa_tokens import DIGITS_MAX, Kind, Token, Tokens, json_number, string, word_or_string
from caxton.acl.full_message import FullMessage
from caxton.acl.identifier import is_name
from caxton.acl.json_value import as_text, compact, is_list, with_spelled_numbers
from caxton.acl.parameters import TEXT_NAMES, Parameters, placed, spelled, understood
from caxton.errors import InvalidMessage

DEPTH: Final = 32
_WRITTEN_DEPTH: Final = 16
"""Lists deeper than this are written as JSON."""
_LITERALS: Final = frozenset({"true", "false", "null"})
_JSON: Final = "json"
_KNOWN = (
    ":sender, :receiver, :reply-to, :content, :reply-by, " + ", ".join(":" + name for name in TEXT_NAMES)
) + (" or one of your own that begins with :X-")
_VALUES: Final = frozenset({Kind.WORD, Kind.STRING, Kind.NUMBER, Kind.DATE_TIME})


def read_string(data: bytes) -> FullMessage:
    """Read one message.

    Raises InvalidMessage with line, column and what was expected.
    """
    tokens = Tokens(data)
    message = _message(tokens, tokens.take())
    after = tokens.take()
    if after.kind is not Kind.END:
        tokens.refuse(after.at, "nothing after the message")
    return message


def read_string_messages(data: bytes) -> list[FullMessage]:
    """Read as many messages as there are, one after the other."""
    tokens = Tokens(data)
    found: list[FullMessage] = []
    while (token := tokens.take()).kind is not Kind.END:
        found.append(_message(tokens, token))
    return found


def write_string(message: FullMessage) -> str:
    """The message, a line for each parameter, without a newline at the end."""
    said = spelled(message)
    lines = [f"({said.act}"]
    if said.sender is not None:
        lines.append(f":sender {_agent_text(said.sender)}")
    for name, agents in (("receiver", said.receiver), ("reply-to", said.reply_to)):
        if agents:
            lines.append(f":{name} (set {' '.join(map(_agent_text, agents))})")
    if said.content is not None:
        lines.append(f":content {string(said.content)}")
    lines += [f":{name} {word_or_string(text)}" for name, text in said.texts.items()]
    if said.reply_by is not None:
        lines.append(f":reply-by {said.reply_by}")
    lines += [f":X-{name} {_value_text(text)}" for name, text in said.own.items()]
    return "\n ".join(lines) + ")"


def _message(tokens: Tokens, token: Token) -> FullMessage:
    if token.kind is not Kind.OPEN:
        tokens.refuse(token.at, "( and a performative")
    said, places = Parameters(), dict[str, int]()
    act = tokens.take()
    if act.kind is not Kind.WORD:
        tokens.refuse(act.at, "a performative such as request")
    said.act, places["performative"] = act.text, act.at
    while (token := tokens.take()).kind is not Kind.CLOSE:
        if token.kind is not Kind.PARAMETER:
            tokens.refuse(token.at, "a parameter such as :content, or )")
        name = _parameter(token)
        field = ("x_" + name[2:]) if name.startswith("x-") else name.replace("-", "_")
        if field in places:
            tokens.refuse(token.at, "each parameter once", f"{token.text[:40]} again")
        places[field] = token.at
        _assign(tokens, said, name, token)
        if name in ("content", *TEXT_NAMES, "reply-by"):
            places[field] = tokens.last.at if tokens.last.kind in _VALUES else token.at
    try:
        return understood(said)
    except InvalidMessage as error:
        place = tokens.place(places.get(str(error.details.get("field")), act.at))
        raise placed(error, *place) from None


def _parameter(token: Token) -> str:
    """The name of a parameter in lower case; what follows the `x-` keeps its letters."""
    name = token.text[1:]
    return "x-" + name[2:] if name[:2].lower() == "x-" else name.lower()


def _assign(tokens: Tokens, said: Parameters, name: str, token: Token) -> None:
    match name:
        case "sender":
            said.sender = _agent(tokens, tokens.take(), RESOLVERS_DEPTH)
        case "receiver":
            said.receiver = _agents(tokens, "set", RESOLVERS_DEPTH)
        case "reply-to":
            said.reply_to = _agents(tokens, "set", RESOLVERS_DEPTH)
        case "content":
            said.content = _text(tokens, "a string")
        case "reply-by":
            value = tokens.take()
            if value.kind is not Kind.DATE_TIME:
                tokens.refuse(value.at, EXPECTED)
            said.reply_by = value.text
        case _ if name in TEXT_NAMES:
            said.texts[name] = _text(tokens, "a word or a string")
        case _ if name.startswith("x-") and len(name) > 2:
            said.own[name[2:]] = _value(tokens, tokens.take(), DEPTH)
        case _:
            tokens.refuse(token.at, _KNOWN, token.text[:40])


def _agents(tokens: Tokens, collection: str, depth: int) -> list[AgentId]:
    """`(set …)` or `(sequence …)` of agent identifiers; a single one may stand alone."""
    begin = tokens.take()
    if begin.kind is not Kind.OPEN:
        tokens.refuse(begin.at, f"({collection} (agent-identifier :name …) …)")
    word = tokens.take()
    if word.kind is Kind.WORD and word.text.lower() == "agent-identifier":
        return [_agent_rest(tokens, word, depth)]
    if word.kind is not Kind.WORD or word.text.lower() not in ("set", "sequence"):
        tokens.refuse(word.at, collection)
    found: list[AgentId] = []
    while (token := tokens.take()).kind is not Kind.CLOSE:
        found.append(_agent(tokens, token, depth))
    return found


def _agent(tokens: Tokens, token: Token, depth: int) -> AgentId:
    if token.kind is not Kind.OPEN:
        tokens.refuse(token.at, "(agent-identifier :name …)")
    word = tokens.take()
    if word.kind is not Kind.WORD or word.text.lower() != "agent-identifier":
        tokens.refuse(word.at, "agent-identifier")
    return _agent_rest(tokens, word, depth)


def _agent_rest(tokens: Tokens, word: Token, depth: int) -> AgentId:
    if depth < 0:
        tokens.refuse(word.at, f"resolvers nested at most {RESOLVERS_DEPTH} deep", "more")
    seen: set[str] = set()
    name = ""
    addresses: list[str] = []
    resolvers: list[AgentId] = []
    extensions: dict[str, str] = {}
    while (token := tokens.take()).kind is not Kind.CLOSE:
        if token.kind is not Kind.PARAMETER:
            tokens.refuse(token.at, ":name, :addresses, :resolvers, :X-… or )")
        slot = _parameter(token)
        if slot in seen:
            tokens.refuse(token.at, "each slot once", f"{token.text[:40]} again")
        seen.add(slot)
        if slot == "name":
            name = _name(tokens, tokens.take(), "a name such as bob@there")
        elif slot == "addresses":
            addresses = _addresses(tokens)
        elif slot == "resolvers":
            resolvers = _agents(tokens, "sequence", depth - 1)
        elif X_KEY.fullmatch(f"x_{slot[2:]}") and slot.startswith("x-"):
            extensions["x_" + slot[2:]] = _value(tokens, tokens.take(), DEPTH)
        else:
            tokens.refuse(token.at, ":name, :addresses, :resolvers or :X-…", token.text[:40])
    if "name" not in seen:
        tokens.refuse(tokens.last.at, ":name, which every agent identifier has")
    return AgentId(name, tuple(addresses), tuple(resolvers), extensions)


def _addresses(tokens: Tokens) -> list[str]:
    begin = tokens.take()
    word = tokens.take()
    if (
        begin.kind is not Kind.OPEN
        or word.kind is not Kind.WORD
        or word.text.lower() not in ("sequence", "set")
    ):
        tokens.refuse(begin.at, "(sequence URL …)")
    found: list[str] = []
    while (token := tokens.take()).kind is not Kind.CLOSE:
        found.append(_name(tokens, token, "a URL"))
    return found


def _name(tokens: Tokens, token: Token, expected: str) -> str:
    if token.kind not in (Kind.WORD, Kind.STRING) or not is_name(token.text):
        tokens.refuse(token.at, expected)
    return token.text


def _text(tokens: Tokens, expected: str) -> str:
    """A value as text: of a list its source."""
    token = tokens.take()
    if token.kind in _VALUES:
        return token.text
    if token.kind is not Kind.OPEN:
        tokens.refuse(token.at, expected)
    _value(tokens, token, DEPTH)
    return tokens.data[token.at : tokens.last.end].decode()


def _value(tokens: Tokens, token: Token, depth: int) -> str:
    """An expression as JSON text: words, strings and date-times are strings, `(…)` is a list."""
    if token.kind is Kind.OPEN:
        return _list(tokens, token, depth)
    if token.kind not in _VALUES:
        tokens.refuse(token.at, "a word, a string, a number, a date-time or (…)")
    if token.kind is Kind.NUMBER:
        number = json_number(token.text)
        if number is None:
            tokens.refuse(token.at, "a number that JSON can hold")
        return number
    if token.kind is Kind.WORD and token.text in _LITERALS:
        return token.text
    return as_text(token.text)


def _list(tokens: Tokens, begin: Token, depth: int) -> str:
    if depth == 0:
        tokens.refuse(begin.at, f"expressions nested at most {DEPTH} deep", "more")
    kinds: list[Kind] = []
    items: list[str] = []
    text = ""
    while (token := tokens.take()).kind is not Kind.CLOSE:
        kinds.append(token.kind)
        if token.kind is Kind.PARAMETER:
            items.append(as_text(token.text))
        else:
            items.append(_value(tokens, token, depth - 1))
        text = token.text
    if kinds == [Kind.WORD, Kind.STRING] and items[0] == '"json"':
        try:
            return compact(text.encode())
        except InvalidMessage:
            pass  # somebody else's list that only looks like ours
    return f"[{','.join(items)}]"


def _agent_text(agent: AgentId) -> str:
    parts = [f"agent-identifier :name {word_or_string(agent.name)}"]
    if agent.addresses:
        parts.append(f":addresses (sequence {' '.join(map(word_or_string, agent.addresses))})")
    if agent.resolvers:
        parts.append(f":resolvers (sequence {' '.join(map(_agent_text, agent.resolvers))})")
    parts += [f":X-{key.removeprefix('x_')} {_value_text(text)}" for key, text in agent.extensions.items()]
    return f"({' '.join(parts)})"


def _value_text(text: str) -> str:
    found = _expression(with_spelled_numbers(text), _WRITTEN_DEPTH)
    return found if found is not None else f"({_JSON} {string(text)})"


def _expression(value: Any, depth: int) -> str | None:
    """A JSON value as an expression; None where `(json "…")` must hold it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            if is_date_time(value):
                return value
            return string(value) if value in _LITERALS else word_or_string(value)
        case msgspec.Raw():
            return bytes(value).decode() if len(bytes(value)) <= DIGITS_MAX else None
        case _ if is_list(value):
            if depth == 0 or (len(value) == 2 and value[0] == _JSON):
                return None
            parts = [_expression(item, depth - 1) for item in value]
            whole = [part for part in parts if part is not None]
            return f"({' '.join(whole)})" if len(whole) == len(parts) else None
        case _:
            return None
