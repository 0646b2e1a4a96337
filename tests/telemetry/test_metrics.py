"""The text of `/metrics`, as Prometheus reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.telemetry.metrics import METERS, Exemplar, HistogramReading, Reading, render
from caxton.telemetry.row_meters import BOUNDS, Histogram

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (\S+)')
numbers = st.one_of(st.integers(0, 2**64), st.floats(0, 1e12))


def readings() -> dict[str, Reading]:
    values = (1, 15, 16, 20_000, 1_000_000_000)
    histogram = Histogram()
    histogram.add(values, sum(values))
    return {
        meter.name: histogram.reading() if meter.type == "histogram" else {"x": 1} if meter.label else 1
        for meter in METERS
    }


def test_every_meter_has_help_type_and_a_sample() -> None:
    lines = render(readings()).splitlines()
    for meter in METERS:
        place = lines.index(f"# HELP {meter.name} {meter.help}")
        assert lines[place + 1] == f"# TYPE {meter.name} {meter.type}"
        assert meter.type == "histogram" or SAMPLE.fullmatch(lines[place + 2])
    histograms = sum(meter.type == "histogram" for meter in METERS)
    assert len(lines) == 3 * len(METERS) + histograms * (len(BOUNDS) + 2)


def test_the_text_is_what_prometheus_parses() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    found = {family.name: family for family in parser.text_string_to_metric_families(render(readings()))}
    for meter in METERS:
        family = found[meter.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (meter.type, meter.help)


def test_open_metrics_has_exemplars() -> None:
    exemplar = Exemplar("4bf92f3577b34da6a3ce929d0e0e4736", 0.02, 1_700_000_000_500_000)
    given = readings()
    name = "caxton_message_processing_duration_seconds"
    histogram = given[name]
    assert isinstance(histogram, HistogramReading)
    bucket = next(number for number, bound in enumerate(BOUNDS) if bound >= 0.02)
    given[name] = HistogramReading(BOUNDS, histogram.counts, histogram.total, {bucket: exemplar})
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    text = render(given, open_metrics=True)
    found = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert {meter.name.removesuffix("_total") for meter in METERS} == set(found)
    (marked,) = [sample for sample in found[name].samples if sample.exemplar]
    assert marked.labels["le"] == repr(BOUNDS[bucket])
    assert (marked.exemplar.labels, marked.exemplar.value) == ({"trace_id": exemplar.trace_id}, 0.02)


@given(st.lists(st.integers(0, 2**40), max_size=50))
def test_a_histogram_counts_exactly(values: list[int]) -> None:
    histogram = Histogram()
    histogram.add(values, sum(values))
    reading = histogram.reading()
    upto = 0
    for bound, many in zip([*BOUNDS, float("inf")], reading.counts, strict=True):
        upto += many
        assert upto == sum(value / 1e6 <= bound for value in values)
    assert reading.total == sum(values) / 1e6


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
        if match is None:
            assert "_duration_seconds" in line
            continue
        if match[1] == "caxton_dead_letters_total":
            value = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[3])
            read[value] = float(match[4])
        if match[1] == "caxton_fuel_total":
            assert float(match[4]) == float(single)
    assert read == {value: float(number) for value, number in by_code.items()}
