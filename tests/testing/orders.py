"""The examples as cases: whom to ask for what, and how it ends when nothing goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from caxton.testing import System

EXAMPLES = Path(__file__).resolve().parents[2] / "agents-examples"


class Order(NamedTuple):
    to: str
    content: dict[str, Any]
    report: dict[str, Any]


ORDERS = {
    "market": Order(
        "buyer",
        {"action": "buy", "item": "book", "rounds": 3, "pause_ms": 100},
        {"bought": 3, "failed": 0},
    ),
    "auction": Order(
        "auctioneer",
        {"action": "sell", "item": "painting", "start": 100, "step": 20, "reserve": 150},
        {"sold": True, "price": 180},
    ),
}


def place(system: System, name: str) -> None:
    """Give the order, without waiting for the disk."""
    order = ORDERS[name]
    system.submit(order.content, to=order.to, protocol="fipa-request", conversation_id="order")


def reports(system: System) -> list[dict[str, Any]]:
    """What came of it: the contents of what was said to the operator at the end."""
    said = system.messages(conversation_id="order", receiver="operator@local")
    return [one["content"] for one in said if one["performative"] != "agree"]


def carried_out(system: System, name: str) -> bool:
    """Whether it was reported exactly once, and as it should be."""
    found = reports(system)
    return len(found) == 1 and ORDERS[name].report.items() <= found[0].items()
