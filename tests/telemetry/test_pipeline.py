"""The telemetry pipeline: every record and every meter leaves as OpenTelemetry's, with the daemon's resource."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import structlog

from caxton import __version__
from caxton.telemetry import logs
from caxton.telemetry.metrics import METERS, Reading
from caxton.telemetry.pipeline import Pipeline, resource

SINGLE = [meter for meter in METERS if meter.type != "histogram"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root() -> Generator[None]:
    """The process's own logging, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield
    logger.handlers, logger.level = handlers, level
    structlog.reset_defaults()


class Exporting:
    """A pipeline to a string beside a log to nowhere."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        logs.configure("text", "info", io.StringIO())
        self.pipeline = Pipeline(resource("market", "i-1"), self.stream)

    def records(self) -> list[dict[str, Any]]:
        self.pipeline.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def exporting(root: None) -> Exporting:
    return Exporting()


def readings() -> dict[str, Reading]:
    return {
        meter.name: {"x": n, "y": n + 0.5} if meter.label else n for n, meter in enumerate(SINGLE, start=1)
    }


def test_a_record_keeps_its_level_fields_and_ids(exporting: Exporting) -> None:
    with logs.traced("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"):
        logs.logger("bus").warning("turn failed", agent="echo@local", fuel=3, rows=[1, "\x1b[2J"])
    (record,) = exporting.records()
    assert (record["body"], record["severity_text"], record["severity_number"]) == (
        "turn failed",
        "WARNING",
        13,
    )
    assert record["attributes"] == {"agent": "echo@local", "fuel": 3, "rows": "[1, '\\x1b[2J']"}
    assert (record["trace_id"], record["span_id"]) == (
        "0x4bf92f3577b34da6a3ce929d0e0e4736",
        "0x00f067aa0ba902b7",
    )


def test_every_record_names_who_exports_it(exporting: Exporting) -> None:
    logs.logger("bus").info("ready")
    (record,) = exporting.records()
    said = record["resource"]["attributes"]
    own = {
        "service.name": "caxton",
        "service.namespace": "market",
        "service.version": __version__,
        "service.instance.id": "i-1",
        "host.name": socket.gethostname(),
        "host.arch": platform.machine(),
        "process.pid": os.getpid(),
    }
    assert said.items() >= own.items()


def test_the_environment_may_name_the_service(root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "floor")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    said = resource("market", "i-1").attributes
    assert (said["service.name"], said["deployment.environment.name"]) == ("floor", "test")


def test_records_of_other_packages_and_exceptions_are_exported(exporting: Exporting) -> None:
    logging.getLogger("uvicorn").error("port %d is taken", 80)
    try:
        raise LookupError("no row")
    except LookupError:
        logs.logger("journal").exception("not read")
        logging.getLogger("asyncio").exception("task died")
    foreign, own, other = exporting.records()
    assert (foreign["body"], foreign["severity_text"]) == ("port 80 is taken", "ERROR")
    assert own["attributes"]["exception.stacktrace"].endswith("LookupError: no row")
    assert other["attributes"] == {"exception.type": "LookupError", "exception.message": "no row"}


def test_what_is_below_the_level_and_what_comes_after_the_end_is_not_exported(exporting: Exporting) -> None:
    logs.logger("bus").debug("too little")
    assert exporting.records() == []
    logs.logger("bus").info("too late")
    assert exporting.stream.getvalue() == ""


async def test_every_meter_is_exported_once_an_interval_and_at_the_end(exporting: Exporting) -> None:
    read = asyncio.Event()

    def reading() -> dict[str, Reading]:
        read.set()
        return readings()

    task = asyncio.create_task(exporting.pipeline.meters(reading, 0.001))
    await read.wait()
    task.cancel()
    await asyncio.wait([task])
    first, *_, last = exporting.records()
    for exported in (first, last):
        (of_resource,) = exported["resource_metrics"]
        assert of_resource["resource"]["attributes"]["service.instance.id"] == "i-1"
        (scope,) = of_resource["scope_metrics"]
        assert [(one["name"], one["description"]) for one in scope["metrics"]] == [
            (meter.name, meter.help) for meter in SINGLE
        ]
        for meter, one in zip(SINGLE, scope["metrics"], strict=True):
            points = one["data"]["data_points"]
            assert one["data"].get("is_monotonic", False) == (meter.type == "counter")
            found = {tuple(point["attributes"].items()): point["value"] for point in points}
            wanted = readings()[meter.name]
            assert found == (
                {((meter.label, value),): number for value, number in wanted.items()}
                if isinstance(wanted, dict)
                else {(): wanted}
            )


@pytest.mark.system
def test_a_daemon_without_an_exporter_does_not_import_what_exports() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            # the web framework imports OpenTelemetry's API by itself
            "import sys, caxton.daemon; print([one for one in sys.modules if one.startswith('opentelemetry.sdk')"
            " or one in ('caxton.telemetry.collector', 'caxton.telemetry.spans')])",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "[]\n"
