"""Every route, key and meter stands in the documentation, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from caxton import config
from caxton.api.routes import (
    access,
    agents,
    approvals,
    break_points,
    conversations,
    dead_letters,
    deployments,
    df,
    effects,
    gateways,
    journal,
    mailboxes,
    messages,
    pins,
    replays,
    status,
    tasks,
    timers,
    topics,
    transfers,
    turns,
    usage,
)
from caxton.api.stream import events
from caxton.client.answers import _classes
from caxton.errors import CaxtonError
from caxton.limits import BOUNDS, Limits
from caxton.telemetry.metrics import METERS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table's rows, without code marks."""
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]


def routes() -> set[str]:
    found: set[str] = set()
    routers = [status.probes, break_points.breaks] + [
        noun.router
        for noun in (
            access,
            status,
            agents,
            messages,
            conversations,
            dead_letters,
            deployments,
            pins,
            break_points,
            approvals,
            replays,
            tasks,
            turns,
            df,
            mailboxes,
            timers,
            topics,
            effects,
            usage,
            transfers,
            journal,
            events,
        )
    ]
    for router in (*routers, gateways.router):
        for route in router.routes:
            assert isinstance(route, APIRoute | Route)
            path = route.path.replace(":path}", "}")
            found |= {f"{method} {path}" for method in (route.methods or set()) - {"HEAD"}}
    return found


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    text = page("api.md")
    said = set(re.findall(r"`((?:GET|POST|DELETE|PUT|PATCH) /[^`?\s]*)`", text)) - {
        "GET /api/v1/openapi.json"
    }
    assert said == routes()


def test_every_parameter_is_documented() -> None:
    text = page("api.md")
    for noun in (
        access,
        agents,
        messages,
        conversations,
        dead_letters,
        deployments,
        pins,
        break_points,
        replays,
        tasks,
        turns,
        df,
        usage,
        events,
    ):
        for route in noun.router.routes:
            assert isinstance(route, APIRoute)
            for parameter in route.dependant.query_params:
                assert f"`{parameter.alias}`" in text, f"{route.path}: {parameter.alias}"


def test_every_error_code_that_the_api_may_answer_is_documented() -> None:
    text = page("api.md")
    ours = [one for one in _classes(CaxtonError) if one.__module__ == "caxton.errors"]
    local = {"daemon_unreachable", "timed_out", "protocol_violation"}
    for one in ours:
        if one.code not in local:
            line = next(
                (line for line in text.splitlines() if line.startswith("| ") and f"`{one.code}`" in line), ""
            )
            assert str(one.status) in line.split("|")[1], f"{one.code} belongs to {one.status}"


def test_every_key_is_documented_with_its_sentence() -> None:
    said = {row[0]: row[2] for row in rows(page("configuration.md")) if len(row) == 3 and row[0] != "key"}
    assert said == dict(config.keys())


def test_every_limit_is_documented_with_its_default_and_bounds() -> None:
    table = page("configuration.md").partition("## Limits")[2].partition("\n## ")[0]
    said = {row[0]: row[1:4] for row in rows(table) if len(row) == 5 and row[0] != "limit"}
    defaults = msgspec.structs.asdict(Limits())
    assert said == {
        name: [f"{defaults[name]:,}", f"{low:,}", f"{high:,}"] for name, (low, high) in BOUNDS.items()
    }


def test_the_example_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", page("configuration.md"), re.DOTALL)
    assert found
    (tmp_path / "caxton.toml").write_text(found[1])
    project = config.load(tmp_path, {})
    assert project.config.limits_of("seller-ann").mailbox == 200


def test_every_meter_is_documented() -> None:
    said = [row for row in rows(page("metrics.md")) if row[0] != "meter"]
    assert said == [[meter.name, meter.type, meter.label or "", meter.help] for meter in METERS]


@pytest.mark.parametrize("name", ["api.md", "configuration.md", "metrics.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page(name)):
        assert (DOCS / target).exists()
