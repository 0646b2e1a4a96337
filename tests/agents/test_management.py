"""Agents' lives by message: what `ams` is asked to do is done, by whom it may be asked, and the `df` follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caxton.acl.message import read_message
from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound
from caxton.protocols import Legality, Referee, library
from caxton.runtime import Runtime

from .systems import COUNTER, MAILBOX, ask, commit, count, home, letters, reached


async def request(
    runtime: Runtime, action: str, description: dict[str, Any], to: str = "ams"
) -> dict[str, Any]:
    wish = {"action": action, "description": description}
    return await ask(runtime, to, wish, protocol="fipa-request")


async def state_of(runtime: Runtime, name: str) -> str | None:
    found = (await request(runtime, "search", {"name": name}))["content"]["result"]
    return found[0]["state"] if found else None


async def violations(runtime: Runtime) -> list[tuple[str, str]]:
    await commit(runtime)
    referee, found = Referee(library()), list[tuple[str, str]]()
    for row in await runtime.journal.reader.messages(limit=10_000):
        verdict = referee.judge(message := read_message(row.body), row.at_us)
        if verdict.legality is Legality.VIOLATION:
            found.append((message.performative, verdict.rule))
    return found


async def test_agents_appear_and_disappear_with_their_life(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        assert await state_of(runtime, "c") is None
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert await state_of(runtime, "c") == "active"
        await runtime.agents.stop("c")
        assert await state_of(runtime, "c") == "initiated"
        await runtime.agents.start("c")
        await runtime.agents.remove("c")
        assert await state_of(runtime, "c") is None


async def test_a_client_suspends_and_resumes_by_message(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        said = await request(runtime, "modify", {"name": "c", "state": "suspended"})
        assert said["content"] == {
            "action": "modify",
            "done": True,
            "description": {"name": "c@local", "state": "suspended"},
        }
        assert runtime.agents.view("c").state == "suspended"
        assert await state_of(runtime, "c") == "suspended"
        runtime.bus.submit({"performative": "request", "receiver": "c"})
        assert runtime.agents.view("c").mailbox == 1
        again = await request(runtime, "modify", {"name": "c", "state": "suspended"})
        assert again["performative"] == "inform"
        said = await request(runtime, "modify", {"name": "c", "state": "active"})
        assert said["content"]["description"]["state"] == "active"
        await reached(runtime, lambda: runtime.agents.view("c").mailbox == 0)
        assert await count(runtime) == 2
        await runtime.agents.stop("c")
        said = await request(runtime, "modify", {"name": "c", "state": "suspended"})
        assert (said["performative"], said["content"]["error"]) == ("failure", "internal-error")
        assert "only an agent that runs" in said["content"]["reason"]
        assert await violations(runtime) == []


def speaker(message: dict[str, Any]) -> bytes:
    """A guest whose first turn says that message; it says nothing to what comes later."""
    line = json.dumps(message)
    text = line.replace('"', "\\22")
    return f"""(module
      (memory (export "memory") 1)
      (global $spoke (mut i32) (i32.const 0))
      (data (i32.const 16) {MAILBOX})
      (data (i32.const 256) "{text}")
      (func (export "caxton_abi") (result i32) (i32.const 16))
      (func (export "caxton_alloc") (param i32) (result i32) (i32.const 0))
      (func (export "handle_message") (param i32 i32) (result i32)
        (i32.store (i32.const 40) (i32.const 0))
        (if (global.get $spoke) (then (return (i32.const 0))))
        (global.set $spoke (i32.const 1))
        (i32.store (i32.const 40) (i32.const {len(line)}))
        (i32.const 1)))""".encode()


def own_wish(action: str, **description: Any) -> dict[str, Any]:
    return {
        "performative": "request",
        "protocol": "fipa-request",
        "conversation_id": "self",
        "receiver": "ams",
        "content": {"action": action, "description": {"name": "r", **description}},
    }


async def test_an_agent_suspends_itself_and_hears_of_it_when_it_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(
            DeploymentRequest("r", speaker(own_wish("modify", state="suspended")), wat=True)
        )
        runtime.bus.submit({"performative": "inform", "receiver": "r"})
        await reached(runtime, lambda: runtime.agents.view("r").state == "suspended")
        # the answer waits, too
        await reached(runtime, lambda: runtime.agents.view("r").mailbox == 1)
        assert runtime.agents.view("r").turns == 1
        said = await request(runtime, "modify", {"name": "r", "state": "active"})
        assert said["performative"] == "inform"
        await reached(runtime, lambda: runtime.agents.view("r").turns == 2)
        rows = await runtime.journal.reader.messages(conversation="self")
        assert [json.loads(row.body)["performative"] for row in rows] == ["request", "inform"]
        assert await violations(runtime) == []


async def test_an_agent_that_removes_itself_is_gone_without_a_dead_letter(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("r", speaker(own_wish("deregister")), wat=True))
        runtime.bus.submit({"performative": "inform", "receiver": "r"})
        await reached(runtime, lambda: "r" not in runtime.agents.registry.agents)
        await commit(runtime)
        assert await letters(runtime) == []
        assert await state_of(runtime, "r") is None
        assert [one.agent for one in await runtime.journal.reader.turns()][:2] == ["r@local", "ams@local"]
    async with home(tmp_path) as runtime:
        assert runtime.agents.views() == []


async def test_a_removed_agent_leaves_the_df(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await request(runtime, "register", {"name": "c", "services": [{"type": "counting"}]}, to="df")
        await request(runtime, "modify", {"name": "c", "ownership": "Acme"})
        said = await request(runtime, "deregister", {"name": "c"})
        assert said["content"] == {"action": "deregister", "done": True}
        with pytest.raises(AgentNotFound):
            runtime.agents.view("c")
        assert runtime.df.entries() == []
        assert await state_of(runtime, "c") is None
    async with home(tmp_path) as runtime:
        assert runtime.df.entries() == []
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        assert runtime.df.entries() == []
        said = await request(runtime, "search", {"ownership": "Acme"})
        assert said["content"]["result"] == []
        assert await letters(runtime) == []
