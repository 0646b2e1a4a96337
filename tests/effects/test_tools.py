"""Tools: what the agent lets through, what stands in the directory, what is called once and what again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from caxton.config import Config
from caxton.effects.tools.vocabulary import Ask, read_request
from caxton.example_modules import module
from caxton.testing import Agent, Crashed, System, runtime

from .asking_guest import asking

Json = dict[str, Any]

CONFIG: Json = {"tools": {"fs": {"command": ["server"], "allow": ["*_file"], "deny": ["drop_*"]}}}
OFFERED: Json = {
    "tools": [
        {"name": "read_file", "description": "Read.", "schema": {"type": "object"}, "idempotent": True},
        {"name": "write_file", "annotations": {"destructiveHint": True}},
    ]
}
DONE: Json = {"inform": {"content": [], "structured": None}}


def tools_in_df(system: System) -> list[Json]:
    found = system.ask(
        {"action": "search", "description": {"services": [{"type": "mcp-tool"}]}},
        to="df",
        protocol="fipa-request",
    )
    return [service for one in found["content"]["result"] for service in one["services"]]


@pytest.mark.parametrize(
    ("content", "act", "code"),
    [
        ({"tool": "read_file", "arguments": {"path": "a"}}, "inform", None),
        ({"tool": "read_file"}, "inform", None),
        ({"tool": "list"}, "refuse", "tool-not-allowed"),
        ({"tool": "drop_file"}, "refuse", "tool-not-allowed"),
        ({"tool": "read_file", "typo": 1}, "not-understood", None),
        ({"tool": "read_file", "arguments": []}, "not-understood", None),
        ({"tool": ""}, "not-understood", None),
        ("read_file", "not-understood", None),
    ],
)
def test_the_agent_lets_through_what_the_project_offers(content: object, act: str, code: str | None) -> None:
    asked: list[Json] = []

    def server(call: Json) -> Json:
        asked.append(call)
        return dict(DONE)

    with runtime({}, config=CONFIG, effects={"tool.fs": server}) as system:
        answer = system.ask(content, to="tool.fs", protocol="fipa-request")
        assert answer["performative"] == act
        assert code is None or answer["content"]["error"] == code
        assert len(asked) == (act == "inform")


def test_a_call_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def counted(content: bytes) -> Ask:
        read.append(content)
        return read_request(content)

    monkeypatch.setattr("caxton.effects.tools.agent.read_request", counted)
    with runtime({}, config=CONFIG, effects={"tool.fs": lambda _: dict(DONE)}) as system:
        for number in range(3):
            assert system.ask({"tool": "read_file", "arguments": {"n": number}}, to="tool.fs")
        assert len(read) == 3


@pytest.mark.parametrize(
    ("rights", "hint"),
    [
        (["fs.read_*"], None),
        (["fs.read_file"], None),
        ([], '[agents.w] tools = ["fs.read_file"]'),
        (["fs.write_*", "db.*"], '[agents.w] tools = ["fs.write_*", "db.*", "fs.read_file"]'),
    ],
)
def test_an_agent_without_the_right_is_told_the_line_to_add(rights: list[str], hint: str | None) -> None:
    config = CONFIG | {"agents": {"w": {"wasm": "w.wasm", "tools": rights}}}
    ask = {"performative": "request", "receiver": "tool.fs", "content": {"tool": "read_file"}}
    guest = Agent(asking(ask), wat=True)
    with runtime({"w": guest}, config=config, effects={"tool.fs": lambda call: dict(DONE)}) as system:
        system.send("now", to="w")
        system.until_quiet(1)
        (answer,) = system.messages(sender="tool.fs@local")
        assert answer["receiver"] == ["w@local"]
        assert answer["performative"] == ("refuse" if hint else "inform")
        assert hint is None or answer["content"]["hint"] == f"in caxton.toml: {hint}"


def test_tools_stand_in_the_directory_with_their_schema_and_change_there() -> None:
    offers = [OFFERED, {"tools": OFFERED["tools"][:1]}, {"down": "it is ill"}, {"tools": "garbage"}, 7]

    def server(call: Json) -> Json:
        return {"about": offers.pop(0), **DONE}

    with runtime({}, config=CONFIG, effects={"tool.fs": server}) as system:
        assert tools_in_df(system) == []
        system.ask({"tool": "read_file"}, to="tool.fs")
        (read, write) = tools_in_df(system)
        assert read == {
            "name": "read_file",
            "type": "mcp-tool",
            "properties": [
                {"name": "description", "value": "Read."},
                {"name": "schema", "value": {"type": "object"}},
            ],
        }
        assert write["properties"] == [{"name": "annotations", "value": {"destructiveHint": True}}]
        system.ask({"tool": "read_file"}, to="tool.fs")
        assert [one["name"] for one in tools_in_df(system)] == ["read_file"]
        for _ in range(3):
            system.ask({"tool": "read_file"}, to="tool.fs")
        assert [one["name"] for one in tools_in_df(system)] == ["read_file"], "as before"
        told = system.ask({"about": "tools"}, to="tool.fs", performative="query-ref")["content"]
        assert [one["name"] for one in told["tools"]] == ["read_file"]
        assert told["down"] == "it is ill"


@pytest.mark.parametrize("idempotent", [None, False, True])
@pytest.mark.parametrize("tool", ["read_file", "write_file"])
@pytest.mark.parametrize("steps", [3, 4, 5, 6, 8])
def test_after_a_crash_only_what_may_be_called_twice_is(
    steps: int, tool: str, idempotent: bool | None
) -> None:
    done: Counter[str] = Counter()

    def server(call: Json) -> Json:
        done[call["request"]["tool"] + call["id"]] += 1
        return {"about": OFFERED, **DONE}

    config = {"tools": {"fs": {"command": ["server"], "idempotent": idempotent}}}
    with runtime({}, config=config, effects={"tool.fs": server}, seed=steps) as system:
        system.ask({"tool": "other"}, to="tool.fs")
        try:
            system.crash_after(steps)
            system.send({"tool": tool}, to="tool.fs", conversation_id="c", protocol="fipa-request")
            system.advance(5)
        except Crashed:
            pass
        finally:
            system.crash_after(None)
        system.restart()
        system.advance(10)
        asked = system.messages(receiver="tool.fs@local", conversation_id="c", performative="request")
        final = system.messages(sender="tool.fs@local", conversation_id="c")
        assert len(final) == len(asked), "everybody who asked is answered once"
        again = tool == "read_file" if idempotent is None else idempotent
        if again:
            assert all(one["performative"] == "inform" for one in final)
        else:
            assert all(many == 1 for many in done.values())
            assert all(one["performative"] == "inform" or _interrupted(one) for one in final)


def _interrupted(message: Json) -> bool:
    return message["content"]["error"] == "interrupted"


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"command": ["a"], "url": "http://a"},
        {"url": "http://a", "env": ["A"]},
        {"command": ["a"], "headers": {"a": "A"}},
        {"url": "ftp://a"},
    ],
)
def test_a_server_that_cannot_be_is_refused(table: Json) -> None:
    with pytest.raises(ValueError, match="tools"):
        Config.model_validate({"tools": {"a": table}})


def test_an_agent_that_has_the_name_keeps_it() -> None:
    assert "tool.fs" in Config.model_validate(CONFIG).outward(), "by which `up` says so"
    config = CONFIG | {"agents": {"tool.fs": {"wasm": "fs.wasm"}}}
    with runtime({"tool.fs": module("echo")}, config=config) as system:
        assert system.runtime.effects.agents == {}
        assert system.ask("hello", to="tool.fs")["content"] == "hello"
