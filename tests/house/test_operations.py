"""The files in operations/ name only what exists: meters, commands, settings; and they keep the daemon in its place."""

from __future__ import annotations

import configparser
import json
import re
from typing import Any

import yaml
from typer.main import get_command

from caxton import config
from caxton.cli.app import COMMANDS, app
from caxton.telemetry.metrics import METERS

from .source import ROOT

FOLDER = ROOT / "operations"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
NAMES = {meter.name for meter in METERS} | {
    f"{meter.name}_{part}"
    for meter in METERS
    if meter.type == "histogram"
    for part in ("bucket", "sum", "count")
}
LABELS = {meter.name: {meter.label} if meter.label else set[str]() for meter in METERS}


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text("utf-8")))


def expressions() -> dict[str, str]:
    """Every expression of the dashboard and the alerts, by where it is."""
    dashboard = json.loads((FOLDER / "grafana" / "dashboard.json").read_text("utf-8"))
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }
    (alerts,) = documents("prometheus/alerts.yaml")
    found |= {rule["alert"]: rule["expr"] for group in alerts["groups"] for rule in group["rules"]}
    assert len(found) > 30
    return found


def test_every_meter_of_the_dashboard_and_the_alerts_exists() -> None:
    for place, expression in expressions().items():
        named = re.findall(r"\bcaxton_\w+", expression)
        assert named, place
        assert set(named) <= NAMES, place
        labels = {label for name in named for label in LABELS.get(name, set())} | {"le"}
        used = re.findall(r"sum by \((\w+)\)", expression) + re.findall(r"\{(\w+)=", expression)
        assert set(used) <= labels, place


def test_every_command_of_the_files_exists() -> None:
    root: Any = get_command(app)
    for path in FILES:
        for words in re.findall(
            r"\bcaxton ((?:[a-z-]+ ?)+)", re.sub(r'", "|, (?=health|--)', " ", path.read_text("utf-8"))
        ):
            name, *rest = words.split()
            if name not in COMMANDS:
                continue
            root.load(name)
            inner = getattr(root.commands[name], "commands", None)
            assert not inner or (rest and rest[0] in inner), (path, words)
    text = "".join(path.read_text("utf-8") for path in FILES)
    root.load("health")
    options = {option for one in root.commands["health"].params for option in one.opts}
    said = set(re.findall(r"caxton, health, (--[a-z]+)", text))
    assert said == {"--startup", "--ready"}
    assert said <= options


def test_every_setting_of_the_files_exists() -> None:
    keys = {f"CAXTON_{key}".upper().replace(".", "_") for key in dict(config.keys())}
    for path in FILES:
        named = set(re.findall(r"\bCAXTON_[A-Z_]+", path.read_text("utf-8")))
        assert named <= keys | {"CAXTON_CONFIG_PATH", "CAXTON_PROJECT", "CAXTON_FOLDER"}, path


def test_the_daemon_has_no_rights_that_it_does_not_need() -> None:
    (compose,) = documents("compose.yaml")
    caxton = compose["services"]["caxton"]
    assert (caxton["read_only"], caxton["cap_drop"]) == (True, ["ALL"])
    assert all(
        port.startswith("127.0.0.1:") for one in compose["services"].values() for port in one.get("ports", [])
    )
    by_kind = {one["kind"]: one for one in documents("kubernetes/caxton.yaml")}
    pod = by_kind["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert by_kind["NetworkPolicy"]["spec"]["ingress"] == []
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    dockerfile = (FOLDER / "Dockerfile").read_text("utf-8")
    (user,) = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)
    assert user == f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / "systemd" / "caxton@.service")
    service = unit["Service"]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["DynamicUser"]) == (
        "yes",
        "strict",
        "yes",
    )
    assert service["CapabilityBoundingSet"] == ""
