"""A daemon with the console exporter: its log holds OpenTelemetry's records of what was logged, and its meters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from caxton import __version__
from caxton.telemetry.metrics import METERS

from .running import running

CONFIGURATION = """
name = "market"
cells = 1

[telemetry]
exporter = "console"

[agents.echo]
wasm = "echo.wasm"
"""


def meters(record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The data points of an exported reading, by the meter's name."""
    (of_resource,) = record["resource_metrics"]
    (scope,) = of_resource["scope_metrics"]
    return {one["name"]: one["data"]["data_points"] for one in scope["metrics"]}


def test_the_log_holds_the_daemons_records_and_meters_with_its_resource(tmp_path: Path) -> None:
    instances: set[str] = set()
    before = 0
    with running(tmp_path / "market", CONFIGURATION) as daemon:
        for _ in range(2):
            with daemon.client() as client:
                for number in range(3):
                    client.send({"performative": "request", "receiver": "echo", "content": number}, wait_s=30)
                pid = daemon.pid
                text = client.metrics()
            assert daemon.stop() == 0
            lines = daemon.log[before:]
            records = [json.loads(line) for line in lines if line.startswith("{")]
            readings = [one for one in records if "resource_metrics" in one]
            logged = [one for one in records if "body" in one]
            assert {"starting", "ready", "stopping", "stopped"} <= {one["body"] for one in logged}
            # every record of the log is exported, and every line is whole
            assert len(logged) == sum(not line.startswith(("{", " ")) for line in lines)
            last = meters(readings[-1])
            # a meter whose label has no value yet has no point, there as in /metrics
            sampled = {line.partition(" ")[0].partition("{")[0] for line in text.splitlines()} - {"#"}
            assert list(last) == [
                meter.name for meter in METERS if meter.name in sampled and meter.type != "histogram"
            ]
            assert len(last) > 30
            (turns,) = [
                point["value"]
                for point in last["caxton_turns_total"]
                if point["attributes"] == {"status": "ok"}
            ]
            assert f'caxton_turns_total{{status="ok"}} {turns}\n' in text
            assert turns >= 3
            resources = [one["resource"]["attributes"] for one in logged]
            resources += [one["resource_metrics"][0]["resource"]["attributes"] for one in readings]
            (said,) = {tuple(sorted(one.items())) for one in resources}
            known = dict(said)
            assert (known["service.name"], known["service.version"], known["process.pid"]) == (
                "caxton",
                __version__,
                pid,
            )
            instances.add(known["service.instance.id"])
            before = len(daemon.log)
            daemon.start()
    assert len(instances) == 2, "every start of the daemon is an instance of its own"
