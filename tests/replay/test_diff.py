"""Structural differences of what was said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.replay.diff import MOST, Difference, differences

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=4))
def test_what_is_the_same_does_not_differ(values: list[Any]) -> None:
    assert differences(values, values) == []


@given(st.lists(json_values, max_size=4), st.lists(json_values, max_size=4))
def test_both_directions_name_the_same_places(before: list[Any], after: list[Any]) -> None:
    there, back = differences(before, after), differences(after, before)
    assert {one.path for one in there} == {one.path for one in back}
    assert (there == []) == _equal(before, after)


def _equal(one: Any, other: Any) -> bool:
    """As JSON has it: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([{"a": 1}], [{"a": 2}], [Difference("[0].a", "changed", 1, 2)]),
        ([{"a": 1}], [{"a": True}], [Difference("[0].a", "changed", 1, True)]),
        ([{"a": 1}], [{"a": 1.0}], []),
        ([{"a": {"b": [1, 2]}}], [{"a": {"b": [1]}}], [Difference("[0].a.b[1]", "removed", before=2)]),
        ([], [{"x": 1}], [Difference("[0]", "added", after={"x": 1})]),
        ([{"a": 1}], [{"b": 1}], [Difference("[0].a", "removed", 1), Difference("[0].b", "added", after=1)]),
        ([{"a": None}], [{}], [Difference("[0].a", "removed")]),
    ],
)
def test_places(before: list[Any], after: list[Any], found: list[Difference]) -> None:
    assert differences(before, after) == found


def test_the_differences_of_one_turn_are_bounded() -> None:
    assert len(differences([list(range(1000))], [list(range(1, 1001))])) == MOST
