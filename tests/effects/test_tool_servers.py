"""Real servers of tools behind a daemon: asked by a guest, dying in a call, hostile ones beside a good one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flow.running import ROOT, Daemon, running

from .asking_guest import asking

pytestmark = pytest.mark.system

HERE = Path(__file__).parent
HOSTILE = ("a hundred megabytes", "a flood", "dies", "complains without end", "a pattern", "says nothing")
Json = dict[str, Any]


def command(*words: object) -> str:
    return f"command = {json.dumps([sys.executable, *map(str, words)])}\n"


@contextmanager
def project(folder: Path, more: str = "") -> Iterator[Daemon]:
    folder.mkdir()
    ask = {
        "performative": "request",
        "receiver": "tool.good",
        "protocol": "fipa-request",
        "content": {"tool": "add", "arguments": {"a": 1, "b": 2}},
    }
    (folder / "w.wat").write_bytes(asking(ask))
    config = (
        '[agents.w]\nwasm = "w.wat"\ntools = ["good.a*"]\n'
        f"[tools.good]\n{command(HERE / 'tool_server.py', folder / 'journal')}env = ['SOME_TOKEN']\n{more}"
    )
    with running(folder, config) as daemon:
        yield daemon


def ask(
    daemon: Daemon, server: str, tool: str, reply_by: str = "60s", **arguments: object
) -> tuple[str, Json]:
    """What came of a call: the act and its content."""
    message = {
        "receiver": f"tool.{server}",
        "performative": "request",
        "content": {"tool": tool, "arguments": arguments},
        "reply_by": reply_by,
    }
    with daemon.client(90) as caxton:
        sent = caxton.send(message, wait_s=70)
        answers = [
            one.message
            for one in caxton.messages(conversation=sent.conversation_id)
            if one.message.sender == f"tool.{server}@local"
        ]
    (answer,) = answers
    return str(answer.performative), answer.content


def journal(folder: Path) -> list[str]:
    file = folder / "journal"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "a-token-that-nobody-may-see")


@pytest.mark.long
def test_a_guest_calls_a_tool_and_no_secret_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    with project(folder) as daemon:
        with daemon.client() as caxton:
            caxton.send({"receiver": "w", "performative": "inform", "content": "now"})
        assert ask(daemon, "good", "add", a=2, b=2)[1]["structured"] == {"result": 4}
        with daemon.client() as caxton:
            said = [one.message for one in caxton.messages(agent="w")]
        answer = [one for one in said if one.sender == "tool.good@local"][-1]
        assert (answer.performative, answer.content["structured"]) == ("inform", {"result": 3})
        assert ask(daemon, "good", "add", a=2, b=200)[1]["error"] == "bad-arguments"
        assert ask(daemon, "good", "environment", name="SOME_TOKEN")[1]["structured"] == {"result": "***"}
        assert ask(daemon, "good", "environment", name="PYTHONPATH")[1]["structured"] == {"result": ""}
    assert sorted(journal(folder)) == ["add 1 2", "add 2 2"]


@pytest.mark.long
def test_a_server_that_dies_is_asked_again_only_where_that_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    with project(folder) as daemon:
        act, content = ask(daemon, "good", "die")
        assert (act, content["error"]) == ("failure", "interrupted")
        assert ask(daemon, "good", "mark", sum=1, seconds=-1)[1]["structured"] == {"result": "marked"}
        act, content = ask(daemon, "good", "pay", "2s", sum=5, seconds=60)
        assert (act, content["error"]) == ("failure", "timeout")
    assert [line.split()[0] for line in journal(folder) if "add" not in line] == [
        "die",
        "mark",
        "mark",
        "pay",
    ]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_hostile_servers_harm_nobody_else(tmp_path: Path) -> None:
    servers = "".join(
        f"[tools.bad{n}]\n{command(HERE / 'hostile_server.py', how)}at_once = 1\n"
        for n, how in enumerate(HOSTILE)
    )
    gone = '[tools.gone]\ncommand = ["/nowhere/at/all"]\n'
    with project(tmp_path / "p", servers + gone) as daemon:
        act, content = ask(daemon, "good", "add", a=1, b=1)
        assert act == "inform", content
        conversations = []
        with daemon.client() as caxton:
            for n in range(len(HOSTILE)):
                message = {
                    "receiver": f"tool.bad{n}",
                    "performative": "request",
                    "content": {"tool": "t", "arguments": {"s": "a" * 60 + "b"}},
                    "reply_by": "30s",
                }
                conversations.append(caxton.send(message).conversation_id)
        assert ask(daemon, "gone", "t")[1]["error"] == "unavailable"
        ended: list[Json] = []
        until = time.monotonic() + 60
        longest = 0.0
        while len(ended) < len(HOSTILE):
            assert time.monotonic() < until, ended
            began = time.monotonic()
            act, content = ask(daemon, "good", "add", a=1, b=1)
            assert act == "inform", content
            longest = max(longest, time.monotonic() - began)
            with daemon.client() as caxton:
                ended = [
                    one.message.content
                    for conversation in conversations
                    for one in caxton.messages(conversation=conversation)
                    if one.message.sender != "operator@local"
                ]
        codes = dict(zip(HOSTILE, (one["error"] for one in ended), strict=True))
        assert longest < 5, longest
    assert codes == {
        "a hundred megabytes": "too-long",
        "a flood": "timeout",
        "dies": "interrupted",
        "complains without end": "timeout",
        "a pattern": "interrupted",
        "says nothing": "timeout",
    }


def test_without_the_package_every_call_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text("raise ImportError('No module named mcp', name='mcp')")
    words = [sys.executable, "-P", "-m", "caxton.effects.tools", "{}"]
    call = b'{"id": "1", "request": {"tool": "t"}}\n'
    done = subprocess.run(
        words, input=call, capture_output=True, env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}, check=True
    )
    about, answer = map(json.loads, done.stdout.splitlines())
    assert about["about"]["down"] == answer["failure"]["reason"]
    assert answer["failure"]["error"] == "unavailable"
    assert "tools need a package of their own (mcp): " in answer["failure"]["reason"]
    assert "install" in answer["failure"]["reason"]
