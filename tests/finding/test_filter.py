"""The filter's words: what they mean, and what is refused."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import made

from caxton.errors import InvalidFilter
from caxton.exact_numbers import decode
from caxton.finding import BOUNDED, FIELDS, ConversationSubject, Filter, MessageSubject
from caxton.schemas.messages import ConversationBody, MessageBody
from caxton.schemas.shape import Message

MESSAGE = made(
    MessageBody,
    {
        "seq": 7,
        "message": {
            "performative": "refuse",
            "sender": "buyer@local",
            "receiver": ["seller-ann@local", "seller-bob@far"],
            "conversation_id": "order-7f",
            "protocol": "fipa-request",
            "content": {"price": 49, "why": 'too "dear"'},
        },
        "at": "2026-06-15T12:00:00.000000Z",
        "turns": [
            {
                "agent": "seller-ann@local",
                "revision": None,
                "status": "ok",
                "started_at": "2026-06-15T12:00:00Z",
                "queue_us": 5,
                "turn_us": 12_000,
                "fuel": 1_500_000,
                "sent": 1,
            },
        ],
    },
)
CONVERSATION = made(
    ConversationBody,
    {
        "id": "market-1",
        "protocol": "fipa-contract-net",
        "initiator": "buyer@local",
        "participants": ["buyer@local", "seller-ann@local"],
        "state": "Failed",
        "pinned": True,
        "started_at": "2026-06-15T12:00:00Z",
        "last_at": "2026-06-15T12:01:30Z",
    },
)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("DEAR", True),
        ("dear timer", False),
        ("dear !timer", True),
        ("from:buyer", True),
        ("from:buy", True),
        ("from:seller", False),
        ("to:seller-bob@far", True),
        ("agent:seller-ann", True),
        ("agent:seller", False),
        ("!agent:seller", True),
        ("act:refuse,failure", True),
        ("act:inform,failure", False),
        ("conv:7f", True),
        ("protocol:request act:refuse is:problem", True),
        ('~"price.*9"', True),
        ('~"price.*8"', False),
        ('!~"price.*8"', True),
        ("act:~^re", True),
        ("act:~^fu", False),
        (r'"too \\\"dear\\\""', True),
        ("state:failed", False),
        ("10:43", False),
    ],
)
def test_a_message_passes_or_not(text: str, passes: bool) -> None:
    assert Filter(text).passes(MessageSubject(MESSAGE.message, body=MESSAGE)) is passes


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("market", True),
        ("from:buyer agent:seller-ann state:failed is:problem", True),
        ("is:open", False),
        ("!is:problem", False),
        ("is:pinned", True),
        ("is:open,pinned", True),
        ("protocol:contract", True),
        ("act:cfp", False),
    ],
)
def test_a_conversation_passes_or_not(text: str, passes: bool) -> None:
    assert Filter(text).passes(ConversationSubject(CONVERSATION)) is passes


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("form:buyer", "there is no field 'form'", '"form:buyer"'),
        ('"half', "quote is not closed", "two words"),
        ("act:", "a word is missing", "act:refuse"),
        ("is:foo", "nothing is 'foo'", "problem, open, pinned"),
        ("!is:problem,opne", "nothing is 'opne'", "problem, open, pinned"),
        ("act:refuze", "FIPA has no act 'refuze'", "did you mean refuse?"),
        ("since:yesterday", "a time is how long ago (5m)", "12:30"),
        ("before:25:00", "a time is how long ago (5m)", "before that time"),
        ("since:~5m", "it has no ~", "5m ago"),
        ("took:10ms", "compare with >, >=, < or <=, such as took:>10ms", ">10ms"),
        ("took:>ten", "'ten' is not a duration", ">10ms"),
        ("fuel:>many", "'many' is no number", ">1e6"),
        ("!", "a word is missing", "!timer"),
        ("~(", "no regular expression", "without ~"),
        ("x" * 1001, "at most 1,000 characters", "part of a word"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_word(text: str, says: str, hint: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        Filter(text)
    assert says in caught.value.message
    assert hint in str(caught.value.hint)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused_by_its_own_error(text: str) -> None:
    with contextlib.suppress(InvalidFilter):
        assert Filter(text).passes(MessageSubject(MESSAGE.message, body=MESSAGE)) in (True, False)


@given(
    st.sampled_from(sorted({*FIELDS} - {*BOUNDED, "is"})),
    st.text(alphabet="abcdefgh", min_size=1, max_size=3),
)
def test_an_exclamation_mark_turns_every_term_round(field: str, word: str) -> None:
    subject = MessageSubject(MESSAGE.message, body=MESSAGE)
    assert Filter(f"{field}:{word}").passes(subject) is not Filter(f"!{field}:{word}").passes(subject)


NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message", "conversation"),
    [
        ("since:5m", True, True),
        ("since:1m", False, True),
        ("since:20s", False, False),
        ("before:3m", False, False),
        ("before:1m", True, True),
        ("!since:1m", True, False),
        (f"since:{NOON.isoformat()}", True, True),
        (f"before:{NOON.isoformat()}", False, False),
        ("took:>10ms", True, True),
        ("took:>=1m", False, True),
        ("took:<1s", True, False),
        ("fuel:>1e6", True, False),
        ("fuel:<=1_000_000", False, False),
    ],
)
def test_times_lengths_and_fuel_are_compared(text: str, message: bool, conversation: bool) -> None:
    wanted = Filter(text, NOON + timedelta(minutes=2))
    assert wanted.passes(MessageSubject(MESSAGE.message, body=MESSAGE)) is message
    assert wanted.passes(ConversationSubject(CONVERSATION)) is conversation


def test_a_message_without_its_row_has_the_time_at_which_it_was_admitted() -> None:
    subject = MessageSubject(Message({"timestamp": round(NOON.timestamp() * 1e6)}))
    assert Filter("since:1h before:1m", NOON + timedelta(minutes=2)).passes(subject)
    assert not Filter("since:1m", NOON + timedelta(minutes=2)).passes(subject)
    assert not Filter("since:1m").passes(MessageSubject(Message({})))


def test_a_time_of_the_day_is_that_of_the_local_clock() -> None:
    local = NOON.astimezone()
    for word in (f"{local:%H:%M}", f"{local:%H:%M:%S}", f"{local:%Y-%m-%dT%H:%M}", f"{local:%Y-%m-%d}"):
        assert Filter(f"since:{word}", NOON).passes(MessageSubject(MESSAGE.message, body=MESSAGE)), word
    assert Filter("since:1h before:5m !since:2h", NOON).times() == (
        NOON.timestamp() - 3600,
        NOON.timestamp() - 300,
    )


def in_contents(text: object) -> MessageSubject:
    return MessageSubject(Message({**MESSAGE.message.json, "content": text}))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(?:a?){40}a{40}!?$"])
def test_no_text_makes_a_regular_expression_take_long(pattern: str) -> None:
    """Python's own engine would still be at it when the test is stopped."""
    assert not Filter(f'~"{pattern}"').passes(in_contents("a" * 39 + "!" + "b"))


def test_a_regular_expression_reads_what_is_no_text() -> None:
    assert Filter("~x.y").passes(in_contents("\ud800 x\udfffy"))
    assert Filter("~übung").passes(in_contents("eine ÜBUNG"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("~(?<=a)b", "perl operator"),
        (r"~(a)\1", "escape sequence"),
        ("~(a", "missing )"),
        ('~"(?:(?:a?){100}){9}x"', "steps of 1,500"),
    ],
)
def test_a_regular_expression_that_is_not_taken_is_named(text: str, why: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        Filter(text)
    assert why in str(refused.value)
    assert "RE2" in (refused.value.hint or "")


CONTENT = {
    "amount": decode(b"149.9000000000000000000000001"),
    "text": "250",
    "sum": "2+3=5",
    "to": "Kiel",
    "ok": True,
    "gone": None,
    "far": decode(b"1e99999999999999999999"),
    "items": [{"sku": "a-1", "n": 2}, {"sku": "b-7", "tags": [["new"], "red"]}],
    "delivery note.x": {"Urgent": "yes, please"},
}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("content.amount:>100", True),
        ("content.amount:>149.9", True),
        ("content.amount:<=149.9000000000000000000000001", True),
        ("content.amount:<149.9000000000000000000000001", False),
        ("content.amount:=149.9", False),
        ("content.AMOUNT:>1e2", True),
        ("content.text:>249.99", True),
        ("content.text:=250.0", True),
        ("content.far:>1e9999", True),
        ("content.to:>1", False),
        ("content.to:ki", True),
        ("content.to:=ki", False),
        ("content.to:=bonn,KIEL", True),
        ("content.ok:=true content.gone:=null", True),
        ("content.ok:>0", False),
        ("content.items.sku:~^b-", True),
        ("content.items.sku:~^c-", False),
        ("content.items.0.n:=2", True),
        ("content.items.1.n:=2", False),
        ("content.items.7.n:=2", False),
        ("content.items.tags:red content.items.tags:new", True),
        ('content."delivery note.x".urgent:"yes, p"', True),
        ("content.items:sku", True),
        # quotes take every sign as it stands
        ('content.sum:"=5"', True),
        ("content.sum:=5", False),
        ("content:kiel", True),
        ("content:lübeck", False),
        ("content.nothing:x", False),
        ("!content.nothing:<=100", True),
        ("!content.amount:<=100", True),
    ],
)
def test_a_place_in_the_content_is_looked_at(text: str, passes: bool) -> None:
    assert Filter(text).passes(in_contents(CONTENT)) is passes
    # what is no JSON object has no places
    assert Filter(text).passes(in_contents("a text")) is (text.startswith("!"))
    assert Filter(text).passes(ConversationSubject(CONVERSATION)) is (text.startswith("!"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("content.amount:>ten", "'ten' is no number"),
        ("content.amount:>", "'' is no number"),
        ("content.amount:", "a word is missing"),
        ("content" + ".a" * 17 + ":x", "at most 16 keys"),
        ("content.amount:~(", "no regular expression"),
    ],
)
def test_a_place_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidFilter, match=re.escape(says)):
        Filter(text)


@pytest.mark.timeout(10)
def test_no_content_makes_a_place_take_long() -> None:
    lists: object = "x"
    for _ in range(60):
        lists = [lists, {"0": lists}] if isinstance(lists, str) else [lists]
    assert Filter("content" + ".0" * 16 + ":x").passes(in_contents(lists))
    assert not Filter("content" + ".a" * 16 + ":x").passes(in_contents([{"a": 1}] * 20_000))
    assert Filter("content.a:~(x+x+)+y").passes(in_contents({"a": ["x" * 4000] * 20 + ["xxy"]}))


def test_a_rule_may_look_at_the_whole_content() -> None:
    message = Message({"content": {"prompt": "." * 5000 + "Secret"}})
    assert not Filter("content.prompt:secret").passes(MessageSubject(message))
    assert Filter("content.prompt:secret secret").passes(MessageSubject(message, room=None))
