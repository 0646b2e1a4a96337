"""The directory: what a template finds, in which order, and what goes with its lease."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.platform_agents.directory import NEVER_US, Directory, Entry, matches
from caxton.platform_agents.vocabulary import OBJECTS, Declined, Json, Reading

OF = "df-agent-description"
READING = Reading("local", 1_700_000_000_000_000)


def described(description: Json) -> Json:
    return READING.description(OF, description)


ANN = described(
    {
        "name": "ann",
        "services": [
            {
                "name": "books",
                "type": "selling",
                "ownership": "Acme",
                "languages": ["json"],
                "properties": [{"name": "price", "value": 40}, {"name": "used", "value": True}],
            },
            {"name": "news", "type": "telling"},
        ],
        "protocols": ["fipa-contract-net", "FIPA-Request"],
        "ontologies": ["market"],
        "scope": ["global"],
        "lease-time": "1h",
    }
)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ({}, True),
        ({"name": "ann"}, True),
        ({"name": {"name": "ann@local", "addresses": ["http://there/acc"]}}, True),
        ({"name": "ann@elsewhere"}, False),
        ({"services": {"type": "selling"}}, True),
        ({"services": [{"type": "selling"}, {"type": "telling", "name": "news"}]}, True),
        ({"services": [{"type": "selling", "name": "news"}]}, False),
        ({"services": [{"type": "buying"}]}, False),
        ({"services": [{"properties": [{"name": "price", "value": 40}]}]}, True),
        ({"services": [{"properties": {"price": 40, "used": True}}]}, True),
        ({"services": [{"properties": [{"name": "price"}]}]}, True),
        ({"services": [{"properties": {"price": 41}}]}, False),
        ({"services": [{"properties": {"used": 1}}]}, False),
        ({"services": [{"properties": {"colour": "red"}}]}, False),
        ({"services": [{"ownership": "acme"}]}, False),
        ({"services": [{"languages": ["JSON"]}]}, True),
        ({"services": [{"languages": ["json", "kif"]}]}, False),
        ({"protocols": ["fipa-request"]}, True),
        ({"protocols": "Fipa-Contract-Net"}, True),
        ({"protocols": ["fipa-request", "fipa-query"]}, False),
        ({"languages": ["json"]}, False),
        ({"languages": []}, False),
        ({"ontologies": []}, True),
        ({"scope": ["global"]}, True),
        ({"scope": ["local"]}, False),
        ({"lease_time": "30m"}, True),
        ({"lease-time": "2h"}, False),
    ],
)
def test_a_template_matches_where_everything_in_it_is_there(template: Json, found: bool) -> None:
    assert matches(OF, described(template), ANN) is found


def test_who_has_no_lease_lasts_longer_than_any() -> None:
    assert matches(OF, described({"lease-time": "300d"}), described({"name": "bob"}))


WORDS = st.sampled_from(["a", "b", "c", "A"])
SERVICES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": WORDS,
            "type": WORDS,
            "languages": st.lists(WORDS, max_size=2),
            "properties": st.dictionaries(WORDS, st.sampled_from([1, True, "a", None, 1.5]), max_size=2),
        },
    ),
    max_size=3,
)
DESCRIPTIONS = st.fixed_dictionaries(
    {}, optional={"services": SERVICES, "protocols": st.lists(WORDS, max_size=3), "scope": WORDS}
).map(described)


@given(DESCRIPTIONS)
def test_every_description_matches_itself_and_nothing_less_than_itself(description: Json) -> None:
    assert matches(OF, description, description)
    assert matches(OF, {}, description)
    more = {**description, "ontologies": ["none-has-it"]}
    assert not matches(OF, more, description)
    assert matches(OF, description, more)


@given(
    st.lists(st.tuples(st.sampled_from(["x", "y", "z", "w"]), st.none() | DESCRIPTIONS), max_size=12),
    DESCRIPTIONS,
)
def test_a_search_finds_what_looking_at_everything_finds(
    steps: list[tuple[str, Json | None]], template: Json
) -> None:
    directory = Directory()
    for at, (name, description) in enumerate(steps):
        if description is None:
            directory.drop(name)
        else:
            before = directory.entries.get(name)
            directory.put(Entry(name, description, before.registered_us if before else at))
    everything = [one for one in directory.entries.values() if matches(OF, template, one.description)]
    assert directory.search(template) == everything
    assert directory.search(template, 1) == everything[:1]
    assert directory.search(template, 0) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "y", "z"]), st.integers(1, 20) | st.just(NEVER_US)), max_size=12
    ),
    st.integers(0, 25),
)
def test_exactly_the_leases_that_are_over_go(leases: list[tuple[str, int]], now: int) -> None:
    directory = Directory()
    for name, until in leases:
        directory.put(Entry(name, {}, 0, until))
    last = dict(leases)
    assert directory.next_expiry_us() == min(last.values(), default=NEVER_US)
    gone = directory.expire(now)
    assert {one.name for one in gone} == {name for name, until in last.items() if until <= now}
    assert [one.expires_us for one in gone] == sorted(one.expires_us for one in gone)
    assert set(directory.entries) == {name for name, until in last.items() if until > now}
    assert directory.next_expiry_us() > now


WRONG: list[tuple[Any, str, tuple[str, ...]]] = [
    ("ann", "unrecognised-parameter-value", (OF, "ann")),
    ({"service": []}, "unexpected-parameter", (OF, "service")),
    ({"lease-time": "1h", "lease_time": "1h"}, "unexpected-parameter", (OF, "lease-time")),
    ({"name": "a b"}, "unrecognised-parameter-value", ("name", "a b")),
    ({"name": {"nom": "ann"}}, "unrecognised-parameter-value", ("name", "an object")),
    ({"services": ["selling"]}, "unrecognised-parameter-value", ("service-description", "selling")),
    ({"services": [{"kind": "a"}]}, "unexpected-parameter", ("service-description", "kind")),
    ({"services": [{"type": ""}]}, "unrecognised-parameter-value", ("type", "")),
    ({"services": [{"type": 1}]}, "unrecognised-parameter-value", ("type", "a number")),
    ({"services": [{"properties": [{"value": 1}]}]}, "missing-parameter", ("property", "name")),
    ({"protocols": [1]}, "unrecognised-parameter-value", ("protocols", "a number")),
    ({"protocols": ["a"] * 257}, "unrecognised-parameter-value", ("protocols", "257 elements")),
    ({"lease-time": "soon"}, "unrecognised-parameter-value", ("lease-time", "soon")),
    ({"lease-time": 5}, "unrecognised-parameter-value", ("lease-time", "a number")),
]


@pytest.mark.parametrize(("description", "error", "arguments"), WRONG)
def test_what_is_no_description_is_declined_by_fipas_name(
    description: Any, error: str, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(Declined) as declined:
        described(description)
    assert (declined.value.error, declined.value.arguments) == (error, arguments)
    assert declined.value.reason


def test_every_parameter_may_be_null_and_spelled_with_underscores() -> None:
    for of, slots in OBJECTS.items():
        assert READING.description(of, {key.replace("-", "_").upper(): None for key in slots}) == {}
