"""Choosing among proposals: by a number at a path, or by none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.errors import InvalidTask
from caxton.protocols import read_table
from caxton.tasks.order import Shape, shape_of
from caxton.tasks.selection import Offer, Selection, read_selection


def raw(content: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(content))


def offers(choice: Selection, *contents: object) -> list[Offer]:
    return [Offer(f"p{n}", choice.value(raw(one))) for n, one in enumerate(contents)]


@pytest.mark.parametrize(
    ("path", "content", "value"),
    [
        ("price", {"price": 4}, 4),
        ("price", {"price": 4.5}, 4.5),
        ("price", {"price": "4"}, None),
        ("price", {"price": True}, None),
        ("price", {"price": None}, None),
        ("price", [4], None),
        ("price", 4, None),
        ("offer.price", {"offer": {"price": -1}}, -1),
        ("offers.1.price", {"offers": [{"price": 1}, {"price": 2}]}, 2),
        ("offers.2.price", {"offers": [{"price": 1}, {"price": 2}]}, None),
        ("offers.-1.price", {"offers": [{"price": 1}]}, None),
        ("price", {"price": 2**62 + 1}, 2**62 + 1),
    ],
)
def test_a_path_leads_to_a_number_or_to_none(path: str, content: Any, value: float | None) -> None:
    assert read_selection(f"lowest:{path}").value(raw(content)) == value


def test_large_whole_numbers_are_told_apart() -> None:
    choice = read_selection("highest:n")
    chosen = choice.among(offers(choice, {"n": 2**60}, {"n": 2**60 + 1}), 1)
    assert chosen.winners == ["p1"]


@given(
    st.lists(st.one_of(st.integers(-5, 5), st.none()), max_size=12),
    st.integers(1, 5),
    st.sampled_from(["lowest", "highest"]),
)
def test_the_best_win_in_the_order_in_which_they_came(
    prices: list[int | None], winners: int, how: str
) -> None:
    choice = read_selection(f"{how}:price")
    chosen = choice.among(offers(choice, *({"price": price} for price in prices)), winners)
    known = [(price, n) for n, price in enumerate(prices) if price is not None]
    known.sort(key=lambda one: (one[0] if how == "lowest" else -one[0], one[1]))
    assert chosen.winners == [f"p{n}" for _, n in known[:winners]]
    assert set(chosen.winners) | set(chosen.reasons) == {f"p{n}" for n in range(len(prices))}
    assert not set(chosen.winners) & set(chosen.reasons)
    for n, price in enumerate(prices):
        if price is None:
            assert chosen.reasons[f"p{n}"] == "the proposal has no number at price"


OWN = """
name = "{name}"
[states]
asked = {{ phase = "collecting" }}
done  = {{ end = "success" }}
[table]
steps = [
  {{ from = "start", by = "initiator",   act = "{first}",  to = "asked" }},
  {{ from = "asked", by = "participant", act = "inform", to = "done" }},
  {more}
]
"""


def test_a_protocol_of_ones_own_runs_where_its_table_has_the_form() -> None:
    plain = read_table(OWN.format(name="ping", first="query-ref", more=""), "ping.toml")
    assert shape_of(plain) is Shape.ASK
    haggles = '{ from = "asked", by = "initiator", act = "propose", to = "asked" },'
    with pytest.raises(InvalidTask, match="its initiator has to decide what no option says"):
        shape_of(read_table(OWN.format(name="haggle", first="request", more=haggles), "haggle.toml"))
