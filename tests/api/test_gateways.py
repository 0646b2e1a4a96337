"""A gateway that cannot serve says why, and what would help."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from caxton.api.gateways import gateway as module
from caxton.api.gateways.gateway import Gateway
from caxton.effects.worker import Command, Worker
from caxton.errors import TooManyRequests, Unreachable


async def _missing(command: Command) -> Worker:
    raise OSError(2, "no such program")


def made(tmp_path: Path, name: str = "json") -> Gateway:
    command = Command("g", ("g",), tmp_path, {})
    return Gateway("MCP over HTTP", name, command, _missing, tmp_path / "g.sock")


def asked() -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    return Request({"type": "http", "method": "POST", "path": "/mcp", "headers": []}, receive)


async def test_without_its_package_it_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="needs a package of its own") as refused:
        await made(tmp_path, "no_such_package").answer(asked())
    assert "no_such_package" in str(refused.value.hint)


async def test_a_process_that_does_not_start_is_said_to_whoever_waits_and_others_are_not_kept_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_S", 0.05)
    monkeypatch.setattr(module, "MOST", 2)
    gateway = made(tmp_path)
    running = asyncio.create_task(gateway.run())
    said = await asyncio.gather(*(gateway.answer(asked()) for _ in range(3)), return_exceptions=True)
    running.cancel()
    assert sorted(type(one) is TooManyRequests for one in said) == [False, False, True]
    assert sum("cannot be started: no such program" in str(one) for one in said) == 2
    await asyncio.wait([running])
