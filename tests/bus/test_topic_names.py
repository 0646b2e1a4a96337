"""Names and patterns of topics."""

from __future__ import annotations

import fnmatch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.bus.topic_names import fits, read_topics
from caxton.errors import InvalidMessage

LETTERS = st.text("ab/", max_size=8)


@given(st.text("ab/*", min_size=1, max_size=8), LETTERS)
def test_a_star_is_any_characters(pattern: str, topic: str) -> None:
    assert fits(pattern, topic) is fnmatch.fnmatchcase(topic, pattern)


def test_no_pattern_takes_long() -> None:
    assert not fits("*" + "a*" * 60 + "b", "a" * 128)
    assert fits("a*" * 60, "a" * 128)


@pytest.mark.parametrize(
    ("content", "topics", "retained"),
    [
        ("a", ["a"], True),
        ("topic:a/b", ["a/b"], True),
        ("topic:a@local", ["a"], True),
        (["a", "b*", "a"], ["a", "b*"], True),
        ({"topic": "a", "retained": False}, ["a"], False),
        ({"topics": ["a", "b"]}, ["a", "b"], True),
    ],
)
def test_a_subscription_says_its_topics_in_several_ways(
    content: object, topics: list[str], retained: bool
) -> None:
    wish = read_topics(msgspec.Raw(msgspec.json.encode(content)), "hint")
    assert (wish.topics, wish.retained) == (topics, retained)


@pytest.mark.parametrize(
    "content", [None, 1, "", [], ["a", 1], {"topic": None}, {}, "a b", "x" * 129, ["a"] * 101]
)
def test_what_is_no_topic_is_refused(content: object) -> None:
    if content == ["a"] * 101:
        content = [f"t{n}" for n in range(101)]
    with pytest.raises(InvalidMessage):
        read_topics(msgspec.Raw(msgspec.json.encode(content)), "hint")
