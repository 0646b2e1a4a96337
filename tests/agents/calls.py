"""Agents in Python whose calls wait for others, on virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caxton.sandbox.python.runtime import packed
from caxton.testing import System

BOSS = """
from caxton_agent import ask, gather, reply, sleep, state

state.setdefault("begun", 0)
state.setdefault("sum", 0)

async def handle(message):
    if message["performative"] != "request":
        return
    n = message["content"]["n"]
    state["begun"] += 1
    x, y = await gather(ask("a", "request", {"n": n}), ask("b", "request", {"n": n + 1}))
    await sleep(0.5)
    z = await ask("a", "request", {"n": n * 10})
    state["sum"] += z["content"]
    reply("inform", [x["content"], y["content"], z["content"]])
"""
PEER = """
def handle(message):
    how = message["content"].get("how")
    if how == "silent" or message["performative"] != "request":
        return
    if how == "crash":
        1 / 0
    if how == "agree":
        reply("agree")
    if how == "unnamed":
        return reply("inform", 1, in_reply_to="something else")
    reply(how if how in ("refuse", "failure", "not-understood") else "inform", message["content"].get("n"))
"""


def python(source: str) -> bytes:
    """The module of a source."""
    return packed(Path("agent.py"), source.encode())


def agents(boss: str = BOSS) -> dict[str, bytes]:
    """A boss, and the two that it asks."""
    return {"a": python(PEER), "b": python(PEER), "boss": python(boss)}


def begin(system: System, many: int, **content: Any) -> None:
    """So many calls at the same time, in conversations c0, c1 and so on."""
    for n in range(many):
        system.submit({"n": n, **content}, to="boss", conversation_id=f"c{n}")


def answers(system: System, n: int) -> list[dict[str, Any]]:
    """What was said to the operator in the conversation of a call."""
    return system.messages(conversation_id=f"c{n}", receiver="operator@local")


def contents(system: System, many: int) -> list[list[Any]]:
    """The contents of all answers, by call."""
    return [[one["content"] for one in answers(system, n)] for n in range(many)]


def fine(many: int) -> list[list[Any]]:
    """What they are where nothing goes wrong."""
    return [[[n, n + 1, n * 10]] for n in range(many)]
