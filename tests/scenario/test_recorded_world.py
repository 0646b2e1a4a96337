"""What tools and models answered is recorded with a conversation, and a run asks none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caxton.config import load
from caxton.errors import Exit
from caxton.scenario.answers import RecordedEffect
from caxton.scenario.read import read_scenario
from caxton.scenario.recording import Wanted
from caxton.scenario.recording.keeping import keep
from caxton.scenario.suite import Settings, play
from caxton.testing import runtime

Json = dict[str, Any]
PROJECT = """
[models.fast]
url = "http://127.0.0.1:9/v1"
model = "x-1"
[tools.fs]
command = ["no-such-server"]
[agents.w]
wasm = "w.py"
models = ["fast"]
tools = ["fs.*"]
"""
AGENT = """
from caxton_agent import agent, reply


async def handle(message):
    reply("inform", await agent("fast", ["fs.read"], f"Read it {message['content']} times."))
"""


class Server:
    """A server of one tool."""

    def __init__(self) -> None:
        self.about: Json = {"tools": [{"name": "read", "schema": {"type": "object"}}]}

    def __call__(self, call: Json) -> Json:
        return {"inform": {"content": [{"type": "text", "text": "it"}], "structured": None}}


def model(call: Json) -> Json:
    """It reads once, and then says so."""
    done = call["request"]["messages"][-1]["role"] == "tool"
    calls = [] if done else [{"id": "c1", "name": "fs-read", "arguments": {"path": "a"}}]
    usage = {"input": 10, "output": 5, "cached": 0}
    finish = "stop" if done else "tool_calls"
    return {
        "inform": {
            "text": "read" * done,
            "tool_calls": calls,
            "finish": finish,
            "model": "x-1",
            "usage": usage,
        }
    }


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
def test_a_run_has_the_recorded_answers_and_asks_nobody(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text(PROJECT)
    (tmp_path / "w.py").write_text(AGENT)
    (tmp_path / ".caxton").mkdir(mode=0o700)
    with runtime(tmp_path, effects={"model": model, "tool.fs": Server()}) as system:
        assert system.ask(1, to="w", conversation_id="c")["content"] == "read"
        (tmp_path / ".caxton" / "journal.db").write_bytes(system.disk.image())
    path = tmp_path / "scenarios" / "c.toml"
    kept = keep(load(tmp_path, {}), Wanted(path, ["c"]))
    assert kept.result.passed, "\n".join(kept.result.lines())
    scenario = read_scenario(path).scenario
    assert [one.agent for one in scenario.answer] == ["model", "tool.fs", "model"]
    offered: Any = scenario.offer["tool.fs"]
    assert [one["name"] for one in offered] == ["read"]

    (tmp_path / "w.py").write_text(AGENT.replace("Read it", "Read this"))
    failed = play(read_scenario(path), Settings())
    assert failed.exit is Exit.EXPECTATION, "another question has no answer"
    none = RecordedEffect("model", scenario.answer, None)({"request": {"messages": [], "model": "fast"}})
    assert none["failure"]["error"] == "not-recorded"
