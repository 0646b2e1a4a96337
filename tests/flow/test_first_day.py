"""The first day of a new user: an empty home, a module, and the command line, in the order of a first day."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from cli.command import caxton

from caxton.cli import daemon_process

from .running import EXAMPLES, still_alive

pytestmark = pytest.mark.system

Say = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def say(tmp_path: Path) -> Iterator[Say]:
    """The command line with an empty home, in the folder of a project."""
    home, folder = tmp_path / "home", tmp_path / "home" / "first"
    folder.mkdir(parents=True)

    def run(*words: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return caxton(*words, cwd=folder, stdin=stdin, HOME=str(home), LANG="C.UTF-8", **more)

    yield run
    daemon_process.kill(folder)


def fine(said: subprocess.CompletedProcess[str]) -> str:
    assert said.returncode == 0, said.stderr
    assert "Traceback" not in said.stderr
    return said.stdout


def refused(
    said: subprocess.CompletedProcess[str], code: int, *words: str, error: str = "error", hint: bool = True
) -> None:
    """One error, each of the words in it, a hint, and nothing on stdout."""
    assert said.returncode == code, (said.returncode, said.stdout, said.stderr)
    assert said.stdout == ""
    assert said.stderr.count(f"{error}: ") == 1, said.stderr
    assert said.stderr.count("hint: ") == hint, said.stderr
    assert "Traceback" not in said.stderr
    for word in words:
        assert word in said.stderr, said.stderr


def ask(say: Say, *more: str) -> dict[str, object]:
    words = ("msg", "send", "--to", "greeter", "--performative", "request", "--content", '"hello"', "--wait")
    answer = json.loads(fine(say(*words, "-o", "json", *more)))
    assert [reply["message"]["content"] for reply in answer["replies"]] == ["hello"]
    return answer


def test_from_an_empty_folder_to_down(say: Say, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "home" / "first"
    refused(say("up"), 2, "caxton.toml")
    shutil.copy(EXAMPLES / "echo" / "echo.wasm", folder)
    (folder / "caxton.toml").write_text('name = "first"\n')
    fine(say("config", "validate"))
    assert "caxton up" in say("status").stderr

    said = say("up")
    fine(said)
    assert re.search(r"caxton is up: project first, pid \d+, \d+ cells?, 0 of 0 agents running", said.stderr)
    pid = daemon_process.running(folder)
    assert pid is not None
    daemon = psutil.Process(pid)
    family = [daemon, *daemon.children(recursive=True)]

    assert "greeter runs revision" in say("agent", "deploy", "greeter", "echo.wasm").stderr
    answer = ask(say)
    conversation = str(answer["conversation_id"])
    assert conversation in fine(say("conv", "list"))
    shown = fine(say("conv", "show", conversation))
    assert re.search(r"operator +request +→ greeter", shown)
    assert re.search(r"greeter +inform +→ operator", shown)

    record = json.loads(fine(say("agent", "show", "greeter", "-o", "json")))
    assert (record["state"], record["turns"], record["failed_turns"]) == ("running", 1, 0)
    assert fine(say("agent", "logs", "greeter")) == ""
    assert re.search(r"^greeter +running ", fine(say("agent", "list")), re.MULTILINE)
    assert re.search(r"^greeter +running ", fine(say("top", "--interval", "100ms")), re.MULTILINE)

    fine(say("agent", "stop", "greeter"))
    said = say("msg", "send", "--to", "greeter", "--performative", "request", "--wait", "-o", "json")
    assert (said.returncode, "greeter is stopped" in said.stderr) == (5, True)
    (failure,) = json.loads(said.stdout)["replies"]
    assert (failure["message"]["performative"], failure["message"]["sender"]) == ("failure", "ams@local")
    assert failure["message"]["content"]["error"] == "agent_stopped"
    fine(say("agent", "start", "greeter"))
    ask(say)

    status = json.loads(fine(say("status", "-o", "json")))
    assert (status["pid"], status["project"], status["agents"]["running"]) == (pid, "first", 1)
    assert status["counts"]["dead_letters"] == 1
    findings = json.loads(fine(say("doctor", "-o", "json")))
    assert {one["state"] for one in findings} <= {"ok", "warn"}

    assert f"stopped: pid {pid}" in say("down").stderr
    assert still_alive(family) == []
    refused(say("agent", "list"), 4, "no daemon", "caxton up")

    # the second day: everything is still there, also what was said
    fine(say("up"))
    assert re.search(r"operator +request +→ greeter", fine(say("conv", "show", conversation)))
    ask(say)
    fine(say("agent", "remove", "greeter"))
    refused(say("agent", "show", "greeter"), 5, "greeter")
    fine(say("down"))
    assert sorted(path.name for path in folder.iterdir()) == [".caxton", "caxton.toml", "echo.wasm"]
    assert [path.name for path in home.iterdir()] == ["first"], "nothing is written elsewhere in the home"


def test_what_goes_wrong_on_a_first_day(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "first"
    (folder / "caxton.toml").write_text('[agents.echo]\nwasm = "echo.wsm"\n')
    refused(say("config", "validate"), 2, "echo.wsm")
    (folder / "caxton.toml").write_text('[agents.echo]\nwsm = "echo.wasm"\n')
    refused(say("up"), 2, "wsm", "caxton.toml", "did you mean 'wasm'")
    (folder / "caxton.toml").write_text('cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n')
    shutil.copy(EXAMPLES / "echo" / "echo.wasm", folder)
    (folder / "text.wasm").write_text("not a module")
    (folder / "cut.wasm").write_bytes((EXAMPLES / "echo" / "echo.wasm").read_bytes()[:200])
    (folder / "large.json").write_text(json.dumps("x" * (300 * 1024)))
    refused(say("msg", "send", "--to", "echo"), 4, "no daemon", "caxton up")
    fine(say("up"))

    send = ("msg", "send", "--to", "echo", "--performative")
    refused(say(*send, "request", "--content", "{bad"), 2, "JSON")
    refused(say(*send, "shout"), 2, "shout")
    refused(say(*send, "request", "--content", "@gone.json"), 2, "gone.json")
    refused(say(*send, "request", "--content", "@large.json"), 8, "bytes")
    refused(say(*send, "request", "--content", "NaN"), 2, "JSON")
    refused(say(*send, "request", "--content", "-", stdin="[" * 100_000), 2, "stdin", "nested deeper")
    refused(say(*send, "request", "--reply-by", "soon"), 2, "soon", "500ms")
    refused(say(*send, "request", "--sender", "echo"), 3, "echo")
    refused(say("agent", "show", "ecko"), 5, "ecko")
    refused(say("agent", "stop", "ecko"), 5, "ecko")
    refused(say("agent", "deploy", "ams", "echo.wasm"), 2, "ams")
    refused(say("agent", "deploy", "Not A Name", "echo.wasm"), 2, "Not A Name")
    refused(say("agent", "deploy", "bad", "text.wasm"), 5, "module", "line 1")
    refused(say("agent", "deploy", "bad", "cut.wasm"), 5)
    refused(say("agent", "deploy", "bad", "gone.wasm"), 2, "gone.wasm")
    refused(say("conv", "show", "no-such-talk"), 2, "no-such-talk")
    refused(say("msg", "show", "4611686018427387904"), 2)
    # nobody is there: the platform answers as an agent would, and says what became of the message
    said = say("msg", "send", "--to", "ecko", "--performative", "request", "--wait", "-o", "json")
    assert (said.returncode, said.stderr.count("error: ")) == (5, 1)
    assert json.loads(said.stdout)["replies"][0]["message"]["content"]["error"] == "unknown_agent"
    # and after all that, the daemon is as it was
    assert '"still"' in fine(say(*send, "request", "--content", '"still"', "--wait"))
    assert json.loads(fine(say("agent", "list", "-o", "json")))[0]["failed_turns"] == 0
    fine(say("down"))
    assert "Traceback" not in (folder / ".caxton" / daemon_process.LOG).read_text()
