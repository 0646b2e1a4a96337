"""`caxton df` and `caxton agent suspend` against a real daemon, as a person types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caxton.cli import daemon_process

from .command import ROOT, caxton

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with two agents, both registered."""
    folder = tmp_path_factory.mktemp("df")
    for name in ("echo", "counter"):
        shutil.copy(ROOT / "agents-examples" / name / f"{name}.wasm", folder)
    (folder / "caxton.toml").write_text(
        'cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n[agents.counter]\nwasm = "counter.wasm"\n'
    )
    try:
        said = caxton("up", cwd=folder)
        assert said.returncode == 0, said.stderr
        for name, price in (("echo", 40), ("counter", 41)):
            service = {"name": name, "type": "selling", "properties": {"price": price, "kind": "book"}}
            tell(folder, {"name": name, "services": [service], "protocols": ["fipa-request"]})
        yield folder
    finally:
        daemon_process.kill(folder)


def tell(folder: Path, description: dict[str, Any]) -> None:
    content = json.dumps({"action": "register", "description": description})
    said = caxton(
        "msg", "send", "--to", "df", "--performative", "request", "--content", content, "--wait", "-o", "json",
        cwd=folder,
    )  # fmt: skip
    assert json.loads(said.stdout)["replies"][0]["message"]["performative"] == "inform", said.stdout


def found(folder: Path, *options: str) -> list[str]:
    said = caxton("df", "search", *options, "-o", "jsonl", cwd=folder)
    assert said.returncode == 0, said.stderr
    return [json.loads(line)["name"] for line in said.stdout.splitlines()]


def test_agents_are_found_by_what_they_offer(shop: Path) -> None:
    both = ["echo@local", "counter@local"]
    assert found(shop) == both
    assert found(shop, "--type", "selling") == both
    assert found(shop, "--type", "selling", "--max-results", "1") == ["echo@local"]
    assert found(shop, "--service", "counter") == ["counter@local"]
    assert found(shop, "--property", "price=40", "--property", "kind=book") == ["echo@local"]
    assert found(shop, "--type", "selling", "--property", "price") == both
    assert found(shop, "--name", "counter") == ["counter@local"]
    assert found(shop, "--protocol", "FIPA-Request", "--name", "echo") == ["echo@local"]
    assert found(shop, "--type", "buying") == []
    assert found(shop, "--language", "kif", "--ontology", "none") == []


def test_the_list_is_readable(shop: Path) -> None:
    said = caxton("df", "list", cwd=shop)
    lines = said.stdout.splitlines()
    assert lines[0].split() == ["AGENT", "SERVICES", "PROTOCOLS", "LANGUAGES", "EXPIRES"]
    assert 'selling echo (price=40, kind="book")' in lines[1]
    assert lines[1].endswith("never")
    assert len(lines) == 3
    assert len(json.loads(caxton("df", "list", "-o", "json", cwd=shop).stdout)) == 2
    said = caxton("df", "search", "--type", "buying", cwd=shop)
    assert (said.stdout, said.stderr) == ("", "nobody who is registered matches\n")


def test_a_property_without_a_name_is_refused(shop: Path) -> None:
    said = caxton("df", "search", "--property", "=40", cwd=shop)
    assert said.returncode == 2
    assert "has no name" in said.stderr


def test_subscriptions_are_listed(shop: Path) -> None:
    said = caxton("df", "subscriptions", cwd=shop)
    assert said.stderr == "nobody has subscribed\n"
    sl0 = "((iota ?x (result (action df (search (df-agent-description :name echo))) ?x)))"
    caxton(
        "msg", "send", "--to", "df", "--performative", "subscribe", "--content", json.dumps(sl0), "--wait",
        cwd=shop,
    )  # fmt: skip
    said = caxton("df", "subscriptions", cwd=shop)
    assert "operator@local" in said.stdout
    assert sl0 in said.stdout


@pytest.mark.parametrize("language", ["json", "fipa-sl0"])
def test_a_failure_of_the_ams_to_a_request_of_its_own_is_an_answer(shop: Path, language: str) -> None:
    sl0 = "((action ams (deregister (ams-agent-description :name (agent-identifier :name nobody@local)))))"
    content = {"action": "deregister", "description": {"name": "nobody"}} if language == "json" else sl0
    said = caxton(
        "msg", "send", "--to", "ams", "--content", json.dumps(content), "--language", language, "--wait",
        cwd=shop,
    )  # fmt: skip
    assert (said.returncode, said.stderr.count("error")) == (0, 0), said.stderr
    assert "not-registered" in said.stdout


def test_suspend_and_resume(shop: Path) -> None:
    said = caxton("agent", "suspend", "counter", cwd=shop)
    assert (said.returncode, said.stderr) == (0, "counter: suspended\n")
    said = caxton("status", cwd=shop)
    assert "1 running, 1 suspended, 0 stopped" in said.stdout
    said = caxton("agent", "stop", "counter", cwd=shop)
    assert said.returncode == 5
    assert "caxton agent resume counter" in said.stderr
    said = caxton("agent", "resume", "counter", cwd=shop)
    assert (said.returncode, said.stderr) == (0, "counter: running\n")
    said = caxton("agent", "resume", "nobody", cwd=shop)
    assert said.returncode == 5
