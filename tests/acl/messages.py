"""Messages at random, as hypothesis makes them: every act, every parameter, agents in full, texts of all kinds."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from caxton.acl import Performative
from caxton.acl.full_message import FullMessage, read_json

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
AWKWARD = st.sampled_from(
    [
        "", " ", "\\", 'a\\"', '"', "6f1c0a52-7d43", "-1", "+5", "#5\"x", "@x", "a b", "(a)", ":x", "true", "null",
        "json", "20260131T120000000Z", "+00000000T000005000", "1e5", ".5", "é漢\U0001f600", "\r\n\t", "\x1f", "\x7f",
        "\ufffe", " a ", "]]>", "&amp;<x>", "caxton-", "a.b@c:1/d", "x" * 1024,
    ]
)  # fmt: skip
TEXT = AWKWARD | st.text(CHARACTERS, max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | st.sampled_from([10**400, -0.0, ["json", "1"], {}, []]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
NAME = st.sampled_from(
    ["bob", "ann@local", "1st", "Bob@There:1099/JADE", 'q"q', "(x)", "é@x", "a&b", "bob@there", "-x"]
)
KEY = st.sampled_from(
    [
        "x_mine",
        "x_Mine",
        "x_caxton-id",
        "x_caxton-language",
        "x_caxton-x-id",
        "x_caxton-reply-by",
        "x_1",
        "x_-.a",
    ]
)
OWN = st.dictionaries(KEY, JSON, max_size=2)
AGENT = st.recursive(
    NAME,
    lambda inner: st.builds(
        lambda name, addresses, resolvers, own: {
            "name": name,
            **({"addresses": addresses} if addresses else {}),
            **({"resolvers": resolvers} if resolvers else {}),
            **own,
        },
        NAME,
        st.lists(st.sampled_from(["http://a:1/acc", "iiop://(x)", "1"]), max_size=2),
        st.lists(inner, max_size=2),
        OWN,
    ),
    max_leaves=4,
)
AGENTS = st.lists(AGENT, min_size=1, max_size=3)
# fmt: off
REPLY_BY = st.sampled_from(
    ["5s", "200ms", "1.5m", "90s", "0s", "13d", "364d", "0.000001ms", "2026-01-31T12:00:00.123Z",
     "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00+02:00", "0001-01-01T00:00:00.000000Z"]
)
# fmt: on
LANGUAGE = st.sampled_from(["json", "JSON", "fipa-sl", "", "none"])
OBJECTS = st.fixed_dictionaries(
    {"performative": st.sampled_from([act.value for act in Performative])},
    optional={
        "sender": AGENT,
        "receiver": AGENTS | AGENT,
        "reply_to": AGENTS,
        "content": JSON,
        "language": LANGUAGE,
        "encoding": TEXT,
        "ontology": TEXT,
        "protocol": TEXT,
        "conversation_id": TEXT,
        "reply_with": TEXT,
        "in_reply_to": TEXT,
        "reply_by": REPLY_BY,
        "x_colour": JSON,
        "x_agents": JSON | AGENTS,
        "id": JSON,
        "timestamp": st.integers(0),
        "trace_id": TEXT,
        "redelivered": st.just(True),
    },
)


def full(fields: dict[str, object], own: dict[str, object]) -> FullMessage:
    """The message of these fields."""
    return read_json(json.dumps({**fields, **own}).encode())


MESSAGES = st.builds(full, OBJECTS, OWN)
