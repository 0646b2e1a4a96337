"""Contents are compared exactly, at paths, by patterns, approximately; the place where they part is named."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.scenario.contents import at_path, by_pattern, check_expected, exactly

SAID = {
    "offers": [{"price": 9.99, "from": "ann"}, {"price": 12, "from": "bob"}],
    "sold": True,
    "note": "in 3 days",
}


@pytest.mark.parametrize(
    ("expected", "where"),
    [
        (SAID, None),
        ({**SAID, "sold": 1}, "sold"),
        ({**SAID, "more": 0}, "more"),
        ({key: value for key, value in SAID.items() if key != "note"}, "note"),
        ({**SAID, "offers": [SAID["offers"]]}, "offers"),
        (
            {**SAID, "offers": [{"price": 9.99, "from": "ann"}, {"price": 12.0, "from": "eve"}]},
            "offers.1.from",
        ),
        ("text", ""),
    ],
)
def test_exactly(expected: Any, where: str | None) -> None:
    found = exactly(expected, SAID)
    assert (found and found.where) == where


@pytest.mark.parametrize(
    ("path", "expected", "fits"),
    [
        ("sold", True, True),
        ("sold", 1, False),
        ("$.offers.1.price", 12, True),
        ("offers.0.price", {"approx": 10, "by": 0.011}, True),
        ("offers.0.price", {"approx": 10, "by": 0.001}, False),
        ("offers.*.from", {"pattern": "^(ann|bob)$"}, True),
        ("offers.*.from", "ann", False),
        ("note", {"pattern": r"\d days"}, True),
        ("offers.7", None, False),
        ("offers.0", {"equals": {"price": 9.99, "from": "ann"}}, True),
    ],
)
def test_at_a_path(path: str, expected: Any, fits: bool) -> None:
    assert (at_path(path, expected, SAID) is None) is fits


def test_by_a_pattern() -> None:
    assert by_pattern('"price":9.99', SAID) is None
    assert by_pattern("^plain$", "plain") is None
    found = by_pattern("euros", SAID)
    assert found
    assert found.expected == "~euros"


@pytest.mark.parametrize(
    "expected", [{"approx": "x", "by": 1}, {"pattern": "x", "by": 1}, {"equals": 1, "by": 1}]
)
def test_a_comparison_that_means_nothing_is_refused(expected: Any) -> None:
    with pytest.raises(ValueError, match=r"stands alone|two numbers"):
        check_expected(expected)
