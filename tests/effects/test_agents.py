"""Agents in Python that ask models and tools: `model`, `tool`, and the loop `agent`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caxton.sandbox.python.runtime import packed
from caxton.testing import runtime

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

Json = dict[str, Any]
MODELS = {"fast": {"url": "http://127.0.0.1:9/v1", "model": "x-1"}}
ASKER = """
from caxton_agent import Failed, agent, ask, gather, model, reply, settings, tool


def add(a: int, b: int = 1):
    \"\"\"Add two numbers.\"\"\"
    return a + b


async def weather(city: str, days: list[int]):
    answer = await ask("weather", "request", {"city": city})
    return answer["content"]


async def handle(message):
    what = message["content"]
    try:
        match what:
            case {"agent": prompt}:
                said = await agent("fast", [add, weather], prompt, rounds=3, max_tokens=50)
            case {"both": [one, two]}:
                said = [got["text"] for got in await gather(model(one), model(two, "fast"))]
            case {"tool": name}:
                said = await tool(name, path="a")
            case {"twice": prompt}:
                said = await agent("fast", [add, add], prompt)
            case {"named": name}:
                said = await agent("fast", [name], "go")
    except Failed as failed:
        said = [failed.performative, failed.code, failed.reason]
    reply("inform", said)
"""


def says(text: str = "", **calls: Json) -> Json:
    """An answer of a model, with tool calls by their ids."""
    told = [{"id": id, **call} for id, call in calls.items()]
    finish = "tool_calls" if told else "stop"
    usage = {"input": 10, "output": 5, "cached": 0}
    return {"inform": {"text": text, "tool_calls": told, "finish": finish, "model": "x-1", "usage": usage}}


def system(model: Callable[[Json], Json], **more: Any) -> Any:
    rights = {"wasm": "asker.py", "models": ["fast"], "effects": ["*"], **more}

    def weather(call: Json) -> Json:
        return {"inform": {"sky": "clear", **call["request"]}}

    effects = {"model": model, "weather": weather}
    config = {"models": MODELS, "effects": {"weather": {"command": ["x"]}}, "agents": {"asker": rights}}
    return runtime({"asker": packed(Path("agent.py"), ASKER.encode())}, config=config, effects=effects)


def test_an_agent_works_with_its_tools_until_it_needs_none() -> None:
    asked: list[Json] = []
    answers = [
        says(
            a={"name": "add", "arguments": {"a": 2, "b": 3}},
            b={"name": "weather", "arguments": {"city": "Kiel", "days": [1]}},
            c={"name": "add", "arguments": {"b": 3}},
            d={"name": "fly", "arguments": {}},
        ),
        says("5, and clear"),
    ]

    def model(call: Json) -> Json:
        asked.append(call["request"])
        return answers[len(asked) - 1]

    with system(model) as running:
        assert running.ask({"agent": "go"}, to="asker")["content"] == "5, and clear"
        talks = {one["conversation_id"] for one in running.messages(receiver="model@local")}
        assert len(talks) == 1, "what one call asks models is one conversation, so that a budget can bound it"
    first, second = asked
    assert first["max_tokens"] == 50
    assert first["tools"][0] == {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }
    assert first["tools"][1]["parameters"]["properties"]["days"] == {"type": "array"}
    told = {one["tool_call_id"]: one["content"] for one in second["messages"][2:]}
    assert (told["a"], told["b"]) == ("5", '{"sky":"clear","city":"Kiel"}')
    assert told["c"].startswith("error: TypeError: ")
    assert told["d"] == "error: there is no tool 'fly'; there are: add, weather"


def test_rounds_have_an_end_and_whoever_asked_is_told() -> None:
    asked: list[Json] = []

    def model(call: Json) -> Json:
        asked.append(call)
        return says(a={"name": "add", "arguments": {"a": 1}})

    with system(model) as running:
        answer = running.ask({"agent": "go"}, to="asker")
    assert len(asked) == 3
    assert answer["performative"] == "failure"
    assert "still calls tools after 3 rounds" in answer["content"]["reason"]


def test_two_models_are_asked_side_by_side() -> None:
    with system(lambda call: says(call["request"]["messages"][0]["content"].upper())) as running:
        assert running.ask({"both": ["one", "two"]}, to="asker")["content"] == ["ONE", "TWO"]


@pytest.mark.parametrize(
    ("answer", "more", "told"),
    [
        (
            {"failure": {"error": "provider", "reason": "it said 500"}},
            {},
            ["failure", "provider", "it said 500"],
        ),
        (says("x"), {"models": []}, ["refuse", "unauthorised"]),
        (says("x"), {"budget": {"tokens": 5}}, ["refuse", "budget-exhausted"]),
    ],
)
def test_what_is_not_answered_is_raised_with_its_code(answer: Json, more: Json, told: list[str]) -> None:
    with system(lambda call: answer, **more) as running:
        assert running.ask({"both": ["one", "two"]}, to="asker")["content"][: len(told)] == told


def test_a_tool_that_is_not_there_is_said() -> None:
    with system(lambda call: says("x")) as running:
        told = running.ask({"tool": "fs.read"}, to="asker")["content"]
        assert told[0] == "failure"
        named = running.ask({"named": "fs.read"}, to="asker")
        assert "there is no tool 'fs.read'; tools here: none" in named["content"]["reason"]
        twice = running.ask({"twice": "go"}, to="asker")
        assert "two tools are 'add' to a model" in twice["content"]["reason"]
