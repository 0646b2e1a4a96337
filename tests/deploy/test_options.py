"""What people write about a deployment, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.config import DeployTable
from caxton.deploy.options import Condition, Stage, compared, conditions, options_of, stages
from caxton.deploy.strategies.revision_metrics import ComparedMetrics, RevisionMetrics
from caxton.errors import ConfigurationError


def test_stages() -> None:
    assert stages("5:5m,25:10m,50:10m") == (Stage(5, 300), Stage(25, 600), Stage(50, 600))
    assert stages(" 5% : 30s , 100 ") == (Stage(5, 30),)
    assert stages("0.5:500ms,100:90") == (Stage(0.5, 0.5), Stage(100, 90))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "100",
        "0:5m",
        "101:5m",
        "5:0s",
        "25:5m,5:5m",
        "5:5m,5:6m",
        "5:soon",
        "x:5m",
        "5:5m,,7:5m",
        "5:9d",
    ],
)
def test_stages_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the canary stage") as caught:
        stages(text)
    assert caught.value.hint is not None


def test_conditions() -> None:
    assert conditions("error_rate>1%,p99>100ms,fuel>+20%,violations>0") == (
        Condition("error_rate", 1.0, False, "error_rate>1%"),
        Condition("p99", 100_000.0, False, "p99>100ms"),
        Condition("fuel", 20.0, True, "fuel>+20%"),
        Condition("violations", 0.0, False, "violations>0"),
    )
    assert conditions("p99 > +50%, fuel > 1000000") == (
        Condition("p99", 50.0, True, "p99 > +50%"),
        Condition("fuel", 1_000_000.0, False, "fuel > 1000000"),
    )
    assert conditions("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "error_rate",
        "error_rate>1",
        "error_rate<1%",
        "p99>100",
        "p99>1%",
        "fuel>20%",
        "violations>+1",
        "speed>1",
        "p99>-1ms",
    ],
)
def test_conditions_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        conditions(text)
    assert caught.value.hint is not None


def test_what_a_shadow_is_compared_in() -> None:
    assert compared("fuel, output,fuel") == ("fuel", "output")
    for text in ("", "colour", "output,colour"):
        with pytest.raises(ConfigurationError, match="compared"):
            compared(text)


def test_the_defaults_of_caxton_toml_are_terms() -> None:
    options = options_of(DeployTable())
    assert options.stages == (Stage(5, 300), Stage(25, 600), Stage(50, 600))
    with pytest.raises(ConfigurationError, match=r"\[deploy\]: the canary stage"):
        options_of(DeployTable(canary_stages="all at once"))


def turns(
    old: tuple[int, int, int], new: tuple[int, int, int], many: int = 100, errors: int = 0
) -> ComparedMetrics:
    """So many turns each: fuel, microseconds, violations of a turn; the new one has some errors."""
    metrics = ComparedMetrics()
    for n in range(many):
        for side, (fuel, turn_us, violations) in ((metrics.old, old), (metrics.new, new)):
            side.count(
                fuel=fuel,
                turn_us=turn_us,
                error=side is metrics.new and n < errors,
                violation=n < violations,
                spoken=True,
            )
    return metrics


@pytest.mark.parametrize(
    ("text", "metrics", "bad"),
    [
        ("error_rate>1%", turns((1, 1, 0), (1, 1, 0), errors=1), False),
        ("error_rate>1%", turns((1, 1, 0), (1, 1, 0), errors=2), True),
        ("fuel>+20%", turns((100, 1, 0), (120, 1, 0)), False),
        ("fuel>+20%", turns((100, 1, 0), (121, 1, 0)), True),
        ("fuel>120", turns((100, 1, 0), (121, 1, 0)), True),
        ("p99>1ms", turns((1, 10, 0), (1, 900, 0)), False),
        ("p99>1ms", turns((1, 10, 0), (1, 1_100, 0)), True),
        ("p99>+50%", turns((1, 100, 0), (1, 140, 0)), False),
        ("p99>+50%", turns((1, 100, 0), (1, 170, 0)), True),
        ("violations>0", turns((1, 1, 5), (1, 1, 0)), False),
        ("violations>0", turns((1, 1, 0), (1, 1, 1)), True),
    ],
)
def test_every_measure(text: str, metrics: ComparedMetrics, bad: bool) -> None:
    found = metrics.breach(conditions(text))
    assert (found is not None) == bad
    if found is not None:
        assert text in found
    assert ComparedMetrics().breach(conditions(text)) is None, "nothing was measured"


@given(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=300))
def test_the_p99_is_near_the_true_one(times: list[int]) -> None:
    side = RevisionMetrics()
    for one in times:
        side.count(fuel=0, turn_us=one, error=False, violation=False, spoken=False)
    true = sorted(times)[-(-len(times) * 99 // 100) - 1]
    assert side.p99_us == pytest.approx(true, rel=0.05)
