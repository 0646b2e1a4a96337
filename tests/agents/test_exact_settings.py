"""A decimal in an agent's settings keeps its digits through every door, to the guest and into every listing."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton import exact_numbers, toml_file
from caxton.api.bodies import content_of, read_body
from caxton.api.responses import view_body
from caxton.api.routes.agents import DeployBody
from caxton.client import requests
from caxton.config import load
from caxton.errors import ConfigurationError, InvalidTask
from caxton.exact_numbers import ExactNumber
from caxton.sandbox.python.runtime import packed
from caxton.scenario.read import read_scenario
from caxton.schemas.task_body import TaskBody
from caxton.testing import Agent, System, runtime
from caxton.transfer import Exported

LONG = "0.1234567890123456789012345"
SETTINGS = {"price": ExactNumber(LONG), "list": [ExactNumber("1.10"), 2.5]}
TEXT = f'{{"price":{LONG},"list":[1.10,2.5]}}'
TOML = f"{{ price = {LONG}, list = [1.10, 2.5] }}"
GUEST = Agent(
    (Path(__file__).parents[1] / "guests" / "settings.wat").read_bytes(), wat=True, settings=SETTINGS
)


def heard(system: System, name: str) -> str:
    """What the guest was given, and what people see of it."""
    told = system.ask(to=name)["content"]
    assert told["name"].startswith(f"{name}@")
    seen = view_body(system.runtime.agents.view(name))["settings"]
    assert exact_numbers.encode(seen) == exact_numbers.encode(told["settings"])
    return exact_numbers.encode(told["settings"]).decode()


def test_from_a_deployment_to_the_guest_and_over_restarts() -> None:
    with runtime({"a": GUEST}) as system:
        assert heard(system, "a") == TEXT
        system.restart()
        assert heard(system, "a") == TEXT
        system.deploy("a", Agent(GUEST.module, wat=True, settings={}))
        assert heard(system, "a") == "{}"
        system.restart()
        (row,) = system.run(system.runtime.journal.reader.deployments(limit=1))
        system.run(system.runtime.engine.rollback(row))
        assert heard(system, "a") == TEXT


def test_to_an_agent_that_another_had_made() -> None:
    with runtime({"a": GUEST}) as system:
        wish = {"action": "create", "description": {"prefix": "w", "like": "a"}}
        assert system.ask(wish, to="ams")["performative"] == "inform"
        assert heard(system, "w-1") == TEXT
        system.ask(
            {"action": "create", "description": {"name": "own", "like": "a", "settings": SETTINGS}}, to="ams"
        )
        system.restart()
        assert heard(system, "own") == TEXT


def test_in_a_bundle() -> None:
    with runtime({"a": GUEST}) as system:
        found: Exported = system.run(system.runtime.transfer.export("a", force=True))
    with runtime({}) as system:
        system.run(system.runtime.transfer.take_in(found.data, force=True))
        assert heard(system, "a") == TEXT


def test_from_files_that_people_write(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text(
        f'[agents.a]\nwasm = "a.wasm"\nsettings = {TOML}\n[deploy]\nprobation_s = 1.50\n'
    )
    project = load(tmp_path, {})
    assert exact_numbers.encode(project.config.agents["a"].settings).decode() == TEXT
    effective = {one.key: one.value for one in project.effective()}
    assert exact_numbers.encode(effective["agents.a.settings"]).decode() == TEXT
    (tmp_path / "one.toml").write_text(
        f'format = 1\n[[step]]\nsend = {{ receiver = "a", performative = "request", content = {TOML} }}\n'
        f'[[step]]\nexpect = {{ filter = "a", content = {TOML}, path = {{ price = {LONG} }} }}\n'
    )
    scenario = read_scenario(tmp_path / "one.toml")
    send, expect = (step for _, step in scenario.steps())
    assert exact_numbers.encode(send.send["content"]).decode() == TEXT  # type: ignore[index]
    assert exact_numbers.encode(expect.expect.content).decode() == TEXT
    own = scenario.project().config.agents["a"].settings
    assert exact_numbers.encode(own).decode() == TEXT
    assert (
        toml_file.data_of("a = 1_000.50\nb = +1e3\nc = inf")["a"].spelling == "1000.50"
    )  # TOML has more spellings


def test_in_bodies() -> None:
    call = requests.deploy("a", b"", SETTINGS, None, "standard", "direct", how={}, path="/api/v1/agents")
    assert call.body is not None
    body = read_body(DeployBody, bytes(call.body), ConfigurationError)
    assert exact_numbers.encode(body.settings).decode() == TEXT
    assert bytes(content_of(f'{{"content":{LONG}}}'.encode())) == LONG.encode()
    task = read_body(TaskBody, f'{{"protocol":"p","to":"a","price":{LONG}}}'.encode(), InvalidTask)
    assert exact_numbers.encode(task.price).decode() == LONG


@pytest.mark.parametrize(
    "raw", [b"{", b'{"name":"a","name":"\xff"}', b"[" * 100_000, b'{"name":"a","x":NaN}']
)
def test_a_body_that_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigurationError, match="the body is no JSON"):
        read_body(DeployBody, raw, ConfigurationError)


PYTHON = b"""
from caxton_agent import ask, reply, settings, state
async def handle(message):
    content = message["content"]
    if content == "settings":
        return reply("inform", settings)
    state["kept"] = [state.get("kept"), content]
    if content == "wait":
        await ask("a", "request")
    elif content["n"] == 0.5:
        raise ValueError("taken back")
    reply("inform", {"kept": state["kept"], "twice": settings["price"] * 2, "shown": f"{settings['list'][0]}"})
"""


@pytest.mark.usefixtures("python_runtime")
def test_in_an_agent_in_python() -> None:
    module = packed(Path("agent.py"), PYTHON)
    with runtime({"p": Agent(module, settings=SETTINGS), "a": GUEST}) as system:
        assert exact_numbers.encode(system.ask("settings", to="p")["content"]).decode() == TEXT
        said = system.ask({"n": ExactNumber(LONG)}, to="p")["content"]
        assert (
            exact_numbers.encode(said).decode()
            == f'{{"kept":[null,{{"n":{LONG}}}],"twice":{float(LONG) * 2},"shown":"1.10"}}'
        )
        assert system.ask({"n": 0.5}, to="p")["performative"] == "failure"
        system.restart()
        assert (
            exact_numbers.encode(system.ask("wait", to="p")["content"]["kept"]).decode()
            == f'[[null,{{"n":{LONG}}}],"wait"]'
        )
        system.bring("p", module + b"\0\3\2v2")
        kept = system.ask({"n": 1}, to="p")["content"]["kept"]
        assert exact_numbers.encode(kept).decode() == f'[[[null,{{"n":{LONG}}}],"wait"],{{"n":1}}]'
