"""What an agent has spent on models, as a bar."""

from __future__ import annotations

from typing import Any

import pytest

from caxton.schemas.daemon import UsageBody
from caxton_tui.widgets.agent_detail import spent


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({}, ["30 tokens in 2 calls"]),
        ({"limit_tokens": 120}, ["█████░░░░░░░░░░░░░░░ 30 of 120 tokens in 2 calls"]),
        ({"limit_tokens": 40, "reserved_tokens": 50}, [f"{'█' * 20} 80 of 40 tokens in 2 calls"]),
        ({"money": 0.5}, ["30 tokens in 2 calls", "0.5000 of money"]),
        (
            {"money": 0.5, "limit_money": 1.0},
            ["30 tokens in 2 calls", "██████████░░░░░░░░░░ 0.5000 of 1 of money"],
        ),
        ({"limit_money": 0.0}, ["30 tokens in 2 calls", f"{'█' * 20} 0.0000 of 0 of money"]),
    ],
)
def test_what_was_spent(more: dict[str, Any], lines: list[str]) -> None:
    fields: dict[str, Any] = {
        "name": "w", "calls": 2, "input": 20, "output": 10, "cached": 0, "tokens": 30, "money": 0.0,
        "reserved_tokens": 0, "reserved_money": 0.0, "limit_tokens": None, "limit_money": None, **more,
    }  # fmt: skip
    assert list(spent(UsageBody(**fields))) == lines
