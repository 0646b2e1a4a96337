"""FIPA SL0: what is written reads the same; what is wrong is refused with its place and what was expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.acl.sl0 import DEPTH, Expression, Moment, Term, Word, read_sl0, word_or_text, write_sl0
from caxton.errors import InvalidMessage

from .messages import TEXT

WORDS = st.sampled_from(
    ["a", "df@local", "?x", "=", "true", "fipa-sl0", "a.b@c:1/d", "http://a:7778/acc", "é"]
)
MOMENTS = st.sampled_from(["20260131T120000000Z", "+00000000T000005000", "20260131T120000000"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    WORDS.map(Word) | MOMENTS.map(Moment) | TEXT | st.integers() | FLOATS,
    lambda inner: (
        st.builds(Term, WORDS, st.lists(inner, max_size=3).map(tuple))
        | st.builds(
            lambda symbol, pairs: Term(symbol, (), tuple(pairs.items())),
            WORDS,
            st.dictionaries(st.sampled_from(["name", "value", "max-results", "X-a"]), inner, max_size=3),
        )
    ),
    max_leaves=12,
)


def kinds(value: object) -> object:
    """Values with their types, so that 1 and 1.0 and a word and a string are told apart."""
    match value:
        case Term():
            arguments = [kinds(one) for one in value.arguments]
            return (value.symbol, arguments, [(name, kinds(one)) for name, one in value.parameters])
        case _:
            # a float may know its spelling
            return (float if isinstance(value, float) else type(value), value)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=3))
def test_what_is_written_reads_the_same(content: list[Expression]) -> None:
    text = write_sl0(content)
    if isinstance(content[0], Word):
        # a content that begins with a bare word reads as one expression, as in the older documents
        content = [Term("set"), *content]
        text = write_sl0(content)
    found = read_sl0(text)
    assert [kinds(one) for one in found] == [kinds(one) for one in content]
    assert write_sl0(found) == text


@given(TEXT)
def test_a_text_is_written_as_a_word_only_where_it_reads_as_one(text: str) -> None:
    (found,) = read_sl0(write_sl0([Term("set", (word_or_text(text),))]))
    assert isinstance(found, Term)
    (value,) = found.arguments
    assert (value.text if isinstance(value, Word) else value) == text


@given(st.text(st.sampled_from(list('()":# ax1?=-.TZ\\é\n')), max_size=40))
def test_anything_is_read_or_refused_with_a_place(text: str) -> None:
    found: object
    try:
        found = read_sl0(text)
    except InvalidMessage as refused:
        found = set(refused.details)
    if isinstance(found, tuple):
        assert read_sl0(write_sl0([Term("set"), *found]))[1:] == found
    else:
        assert found == {"line", "column", "expected"}


def test_a_request_to_the_df_is_understood() -> None:
    (action,) = read_sl0(
        "((action (agent-identifier :name df@foo.com :addresses (sequence iiop://foo.com/acc))\n"
        "  (register (df-agent-description :name (agent-identifier :name dummy@foo.com)\n"
        "    :protocols (set fipa-request) :lease-time +00000000T000600000\n"
        "    :services (set (service-description :name profile :type meeting\n"
        "      :properties (set (property :name max-nodes :value 10000000))))))))"
    )
    assert isinstance(action, Term)
    assert action.named("action")
    actor, function = action.arguments
    assert isinstance(actor, Term)
    assert isinstance(function, Term)
    (description,) = function.arguments
    assert isinstance(description, Term)
    said = dict(description.parameters)
    assert said["protocols"] == Term("set", (Word("fipa-request"),))
    assert said["lease-time"] == Moment("+00000000T000600000")
    services = said["services"]
    assert isinstance(services, Term)
    (service,) = services.arguments
    assert isinstance(service, Term)
    properties = dict(service.parameters)["properties"]
    assert properties == Term(
        "set", (Term("property", (), (("name", Word("max-nodes")), ("value", 10_000_000))),)
    )


def test_the_outer_brackets_may_be_missing_and_an_action_may_be_a_word() -> None:
    assert read_sl0("(action ams get-description)") == (
        Term("action", (Word("ams"), Word("get-description"))),
    )
    assert read_sl0("((action ams (get-description)))") == (
        Term("action", (Word("ams"), Term("get-description"))),
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, "( and an expression"),
        ("action", 1, 1, "( and an expression"),
        ("()", 1, 2, "an expression"),
        ("((action)", 1, 10, "a word, a string"),
        ("((action\n  (set a)", 2, 10, "a word, a string"),
        ("((:name a))", 1, 3, "a symbol"),
        ('(("set" a))', 1, 3, "a symbol"),
        ("((set a :name b))", 1, 9, "arguments or parameters"),
        ("((set :name b a))", 1, 15, "a parameter"),
        ("((set :name b :NAME a))", 1, 15, "each parameter once"),
        ("((set :name))", 1, 12, "a word, a string"),
        ("((set : a))", 1, 7, "the name of a parameter"),
        ("((a)) b", 1, 7, "nothing after"),
        ('((a "b))', 1, 5, "a string that ends"),
        ("((a 1e999))", 1, 5, "a number"),
        ("((a\n   @b))", 2, 4, "a word"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        read_sl0(text)
    details = refused.value.details
    assert (details["line"], details["column"]) == (line, column)
    assert expected in details["expected"]


def test_nesting_is_bounded() -> None:
    depth = DEPTH - 1
    assert read_sl0("(" + "(set " * depth + ")" * depth + ")")
    with pytest.raises(InvalidMessage, match="brackets open at once"):
        read_sl0("(" + "(set " * (depth + 1) + ")" * (depth + 1) + ")")
    with pytest.raises(InvalidMessage, match="brackets open at once"):
        read_sl0("(" + "(set " * 1_000_000)


@pytest.mark.parametrize("outer", [0, 1])
def test_what_was_read_at_the_bound_of_nesting_reads_again(outer: int) -> None:
    terms = DEPTH - 1
    deepest = "(" * outer + "(a " * terms + "x" + ")" * (terms + outer)
    assert read_sl0(write_sl0(read_sl0(deepest))) == read_sl0(deepest)
    with pytest.raises(InvalidMessage, match=f"at most {DEPTH} brackets"):
        read_sl0(deepest.replace("x", "(x)"))
