"""`caxton mcp`: what a coding agent is given, by the library's own client, and what `install` writes."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from api.process import CONFIGURATION, Daemon, running
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from caxton.cli.commands.mcp import KNOWN
from caxton.cli.mcp.answers import MOST, bounded
from caxton.cli.mcp.clients import CLIENTS
from caxton.cli.mcp.server import server
from caxton.cli.mcp.tools import ACTING, LOOKING, Tools

from .command import caxton, environment

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    rule = '[approvals.payments]\nwhere = "to:counter content.add:>1000"\n'
    with running(tmp_path_factory.mktemp("mcp") / "shop", CONFIGURATION + rule) as daemon:
        yield daemon


@asynccontextmanager
async def asking(daemon: Daemon, *, read_only: bool = False, approve: bool = False) -> AsyncGenerator[Client]:
    async with Client(server(Tools.of(daemon.folder), read_only=read_only, approve=approve)) as client:
        yield client


async def said(client: Client, tool: str, **arguments: Any) -> str:
    """What a tool answers; an error is marked as one."""
    result = await client.call_tool(tool, arguments)
    (one,) = result.content
    assert one.type == "text"
    assert len(one.text) <= MOST
    return f"error: {one.text}" if result.is_error else one.text


async def test_a_conversation_is_held_found_read_replayed_and_watched(daemon: Daemon) -> None:
    async with asking(daemon) as client:
        sent = await said(client, "send", to=["counter"], content={"add": 2}, conversation="m-1")
        assert "in conversation m-1" in sent
        assert 'inform          → operator    {"count":2}' in sent
        assert "m-1" in await said(client, "conversations", filter="agent:counter")
        drawn = await said(client, "conversation", id="m-1")
        assert "operator" in drawn.splitlines()[1]
        assert "inform" in drawn
        turns = await said(client, "conversation", id="m-1", form="turns")
        assert "fuel]" in turns
        replayed = await said(client, "replay", conversations=["m-1"])
        assert replayed.startswith("1 same, 0 changed, 0 illegal, fuel as before\n")
        came = await said(client, "events", after=0, filter="conv:m-1", wait_s=5)
        assert "m-1: operator request → counter" in came
        after = int(came.rpartition("after=")[2])
        assert await said(client, "events", after=after, filter="conv:none", wait_s=0.1) == (
            f"nothing came\nafter={after}"
        )
        assert "counter: running" in await said(client, "agents")
        about = await said(client, "agents", name="counter")
        assert 'state: "running"' in about
        assert " running, 0 stopped" in await said(client, "status")
        task = await said(client, "task", protocol="request", to=["echo"], content="hi")
        assert ": achieved" in task


async def test_what_goes_wrong_is_one_error_with_its_hint_and_stands_among_the_problems(
    daemon: Daemon,
) -> None:
    async with asking(daemon) as client:
        for tool, arguments, words in (
            ("agents", {"name": "nobody"}, "nobody"),
            ("conversations", {"filter": "is:foo"}, "foo"),
            ("replay", {}, "hint: give conversations"),
            ("docs", {"page": "nowhere"}, "hint: the pages are"),
            ("deploy", {"agent": "echo", "build": "no-such.wasm"}, "cannot be read"),
            ("problems", {"since": "often"}, "often"),
        ):
            answer = await said(client, tool, **arguments)
            assert answer.startswith("error: "), (tool, answer)
            assert words in answer
            assert "Traceback" not in answer
        await said(client, "send", to=["nobody"], content=1, conversation="m-2")
        problems = await said(client, "problems")
        assert "unknown_agent" in problems


async def test_a_build_is_planned_and_deployed(daemon: Daemon) -> None:
    async with asking(daemon) as client:
        build = str(daemon.folder / "relay.wasm")
        assert "relay is new" in await said(client, "deploy", agent="relay", build=build, plan=True)
        assert "running" in await said(client, "deploy", agent="relay", build=build)
        assert "relay: running" in await said(client, "agents")


async def test_what_only_looks_has_no_tool_that_acts_and_says_so_of_each(daemon: Daemon) -> None:
    async with asking(daemon) as client, asking(daemon, read_only=True) as looking:
        every = (await client.list_tools()).tools
        assert [one.name for one in every] == [*LOOKING, *ACTING]
        assert len(every) == 11
        for one in every:
            assert one.description
            assert one.annotations is not None
            assert one.annotations.read_only_hint is (one.name in LOOKING)
        assert [one.name for one in (await looking.list_tools()).tools] == list(LOOKING)


async def test_approvals_are_shown_and_decided_only_where_the_project_says_so(daemon: Daemon) -> None:
    async with asking(daemon, approve=True) as client:
        sent = await said(client, "send", to=["counter"], content={"add": 5000}, wait_s=0)
        assert "it waits for the approval payments" in sent
        with daemon.client() as caxton:
            (one,) = caxton.approvals()
        assert f"message {one.seq} waits for the approval payments" in await said(client, "problems")
        assert "refused as" in await said(client, "decide", seq=one.seq, yes=False, note="too much")
        with daemon.client() as caxton:
            assert caxton.approval(one.seq).steps[-1].by == "owner through mcp"
    async with asking(daemon, read_only=True, approve=True) as looking:
        assert [one.name for one in (await looking.list_tools()).tools] == list(LOOKING)


async def test_pages_and_conversations_are_resources(daemon: Daemon) -> None:
    async with asking(daemon) as client:
        await said(client, "send", to=["echo"], content="hi", conversation="m-3")
        pages = {str(one.uri) for one in (await client.list_resources()).resources}
        assert "caxton://docs/hold" in pages
        for uri, words in (("caxton://docs/hold", "break point"), ("caxton://conversation/m-3", "m-3")):
            (content,) = (await client.read_resource(uri)).contents
            assert words in getattr(content, "text", "")
        page = await said(client, "docs", page="configuration")
        assert page.splitlines()[-1].startswith("more: call again with cursor=")
        following = await said(client, "docs", page="configuration", cursor=int(page.rpartition("=")[2]))
        assert following.splitlines()[0] not in page
        assert "hold / " in await said(client, "docs", words="break point")


async def test_it_is_served_over_stdio_also_where_no_daemon_runs(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("")
    command = ["-m", "caxton.cli", "mcp", "-p", str(tmp_path), "--read-only"]
    parameters = StdioServerParameters(command=sys.executable, args=command, env=environment())
    async with Client(stdio_client(parameters)) as client:
        answer = await said(client, "status")
        assert answer.startswith("error: ")
        assert "hint: start it with: caxton up" in answer


async def test_it_serves_a_daemon_elsewhere_as_every_command_does(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("cxt_0_0")
    (tmp_path / "token").chmod(0o600)
    elsewhere = environment(CAXTON_URL="http://127.0.0.1:9", CAXTON_TOKEN_FILE=str(tmp_path / "token"))
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "caxton.cli", "mcp"], env=elsewhere, cwd=tmp_path
    )
    async with Client(stdio_client(parameters)) as client:
        assert "127.0.0.1:9" in await said(client, "status")


def test_an_answer_is_cut_between_lines_and_says_how_to_go_on() -> None:
    lines = [f"{number} {'x' * 90}" for number in range(100)]
    read, cursor = list[str](), 0
    while True:
        answer = bounded(lines, cursor).splitlines()
        assert sum(len(line) + 1 for line in answer) <= MOST
        if not answer[-1].startswith("more: "):
            break
        read += answer[:-1]
        cursor = int(answer[-1].rpartition("=")[2])
    assert [*read, *answer] == lines
    assert bounded([]) == "nothing"
    assert bounded(["y" * 5000]).endswith("… (5,000 characters)")


@pytest.mark.parametrize("name", CLIENTS)
def test_install_prints_or_writes_and_keeps_what_stands_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "caxton.toml").write_text("")
    client = CLIENTS[name]
    printed = caxton("mcp", "install", name, "-p", tmp_path)
    entry = json.loads(printed.stdout)[client.key]["caxton"]
    assert entry["args"] == ["-m", "caxton.cli", "mcp", "--project", str(tmp_path)]
    assert entry["command"] == sys.executable
    file = tmp_path / client.file
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"mine": [1], client.key: {"other": {"command": "x"}}}))
    assert caxton("mcp", "install", name, "--write", "--read-only", "-p", tmp_path).returncode == 0
    known = json.loads(file.read_text())
    assert known["mine"] == [1]
    assert set(known[client.key]) == {"other", "caxton"}
    assert known[client.key]["caxton"]["args"][-1] == "--read-only"
    file.write_text("// a comment\n{}")
    refused = caxton("mcp", "install", name, "--write", "-p", tmp_path)
    assert refused.returncode == 2
    assert "cannot be read as JSON" in refused.stderr
    assert file.read_text() == "// a comment\n{}"


def test_a_client_that_is_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("")
    said = caxton("mcp", "install", "emacs", "-p", tmp_path)
    assert (said.returncode, said.stdout) == (2, "")
    assert tuple(CLIENTS) == KNOWN
    assert "hint: one of claude, cursor, vscode, gemini" in said.stderr
