"""The text of `/metrics`, as Prometheus reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.telemetry.metrics import METERS, Reading, render

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (\S+)')
numbers = st.one_of(st.integers(0, 2**64), st.floats(0, 1e12))


def readings() -> dict[str, Reading]:
    return {meter.name: {"x": 1} if meter.label else 1 for meter in METERS}


def test_every_meter_has_help_type_and_a_sample() -> None:
    lines = render(readings()).splitlines()
    for meter in METERS:
        place = lines.index(f"# HELP {meter.name} {meter.help}")
        assert lines[place + 1] == f"# TYPE {meter.name} {meter.type}"
        assert SAMPLE.fullmatch(lines[place + 2])
    assert len(lines) == 3 * len(METERS)


def test_names_keep_the_rules() -> None:
    assert len({meter.name for meter in METERS}) == len(METERS)
    for meter in METERS:
        assert re.fullmatch(r"caxton_[a-z_]+", meter.name)
        assert (meter.type == "counter") == meter.name.endswith("_total")
        assert meter.help.endswith(".")


def test_a_meter_without_a_reading_is_a_mistake() -> None:
    for meter in METERS:
        some = readings()
        del some[meter.name]
        with pytest.raises(KeyError):
            render(some)


@given(st.dictionaries(st.text(), numbers), numbers)
def test_every_label_and_number_can_be_read_back(by_code: dict[str, float], single: float) -> None:
    given_readings = {**readings(), "caxton_dead_letters_total": by_code, "caxton_fuel_total": single}
    read: dict[str, float] = {}
    for line in render(given_readings).rstrip("\n").split("\n"):
        if line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        if match[1] == "caxton_dead_letters_total":
            value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[3])
            read[value] = float(match[4])
        if match[1] == "caxton_fuel_total":
            assert float(match[4]) == float(single)
    assert read == {value: float(number) for value, number in by_code.items()}
