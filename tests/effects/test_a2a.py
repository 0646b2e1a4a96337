"""Agents of other systems: who may ask them, what is told of them, what is asked again after a crash."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.testing import Agent, runtime

from .asking_guest import asking

Json = dict[str, Any]

CONFIG: Json = {"a2a": {"partner": {"url": "https://agents.example/partner"}}}
DONE: Json = {"inform": {"task": "t", "context": "c", "result": "done"}}


@pytest.mark.parametrize(
    ("content", "act"),
    [
        ({"content": "translate"}, "inform"),
        ({"content": {"n": 1}, "task": "t", "context": "c"}, "inform"),
        ({"content": "x", "typo": 1}, "not-understood"),
        ({"task": "t"}, "not-understood"),
        ("translate", "not-understood"),
    ],
)
def test_what_is_asked_is_read_before_it_leaves(content: object, act: str) -> None:
    asked: list[Json] = []

    def partner(call: Json) -> Json:
        asked.append(call["request"])
        return dict(DONE)

    with runtime({}, config=CONFIG, effects={"a2a.partner": partner}) as system:
        answer = system.ask(content, to="a2a.partner", protocol="fipa-request")
        assert answer["performative"] == act
        assert asked == ([content] if act == "inform" else [])
        told = system.ask({"about": "skills"}, to="a2a.partner", performative="query-ref")
        assert told["content"]["skills"] == []


@pytest.mark.parametrize(
    ("rights", "hint"),
    [(["partner"], None), (["part*"], None), ([], '[agents.w] remotes = ["partner"]')],
)
def test_an_agent_without_the_right_is_told_the_line_to_add(rights: list[str], hint: str | None) -> None:
    config = CONFIG | {"agents": {"w": {"wasm": "w.wasm", "remotes": rights}}}
    ask = {"performative": "request", "receiver": "a2a.partner", "content": {"content": "hello"}}
    guest = Agent(asking(ask), wat=True)
    with runtime({"w": guest}, config=config, effects={"a2a.partner": lambda call: dict(DONE)}) as system:
        system.send("now", to="w")
        system.until_quiet(1)
        (answer,) = system.messages(sender="a2a.partner@local")
        assert answer["performative"] == ("inform" if hint is None else "refuse")
        assert hint is None or answer["content"]["hint"] == f"in caxton.toml: {hint}"
