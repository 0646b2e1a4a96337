"""The command line against a real daemon with real agents; tests share one daemon and do not depend on their order."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox.texts import guest

from caxton.cli import daemon_process
from caxton.client import Client
from caxton.daemon_socket import socket_path

from .command import ROOT, caxton, caxton_process, environment

pytestmark = pytest.mark.system

EXAMPLES = ROOT / "agents-examples"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("p")
    for name in ("echo", "counter"):
        shutil.copy(EXAMPLES / name / f"{name}.wasm", folder)
    (folder / "caxton.toml").write_text('cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n')
    try:
        said = caxton("up", cwd=folder)
        assert said.returncode == 0, said.stderr + (folder / ".caxton" / daemon_process.LOG).read_text()
        assert "1 of 1 agents running" in said.stderr
        yield folder
        said = caxton("down", cwd=folder)
        assert said.returncode == 0, said.stderr
        assert daemon_process.running(folder) is None
    finally:
        daemon_process.kill(folder)


@pytest.fixture
def counter(project: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An agent of its own for the test, with state."""
    name = "counter-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-40:].strip("-")
    assert caxton("agent", "deploy", name, project / "counter.wasm", cwd=project).returncode == 0
    yield name
    caxton("agent", "remove", name, "--yes", cwd=project)


def ask(project: Path, name: str, content: str, *more: str, code: int = 0) -> Any:
    said = caxton(
        "msg", "send", "--to", name, "--performative", "request", "--content", content, "--wait", "-o", "json",
        *more, cwd=project,
    )  # fmt: skip
    assert said.returncode == code, said.stderr
    return json.loads(said.stdout)


def test_a_scenario_is_played_on_it_again_and_again_and_says_what_it_cannot(project: Path) -> None:
    scenario = """format = 1
[[step]]
send = { receiver = "echo", performative = "request", content = "hello", conversation_id = "talk" }
[[step]]
expect = { filter = "from:echo act:inform conv:talk", content = "hello", count = 1 }
"""
    (project / "talk.toml").write_text(scenario)
    (project / "wait.toml").write_text(f'{scenario}[[step]]\nadvance = "1h"\n')
    for _ in range(2):
        said = caxton("run", "talk.toml", "--attach", cwd=project)
        assert (said.returncode, said.stdout[:6]) == (0, "passed"), said.stdout
    said = caxton("run", "wait.toml", "--attach", cwd=project)
    assert said.returncode == 2
    assert "  wait.toml: line 6: a running daemon has no virtual time" in said.stdout
    assert said.stdout.endswith("again: caxton run wait.toml --seed 0 --attach\n")
    (project / "talk.toml").write_text(scenario.replace('content = "hello", count', 'content = "bye", count'))
    said = caxton("run", "talk.toml", "--attach", cwd=project)
    assert said.returncode == 6
    assert "expected" in said.stdout


def test_a_reply_is_printed(project: Path) -> None:
    said = caxton(
        "msg",
        "send",
        "--to",
        "echo",
        "--performative",
        "request",
        "--content",
        '"hello"',
        "--wait",
        cwd=project,
    )
    assert said.returncode == 0, said.stderr
    assert re.search(r'echo +inform +→ operator +"hello"', said.stdout)
    assert "\x1b" not in said.stdout


def test_parameters_reach_the_agent_and_come_back(project: Path) -> None:
    answer = ask(
        project, "echo", '{"n": 1}', "--conversation", "talk-1", "--protocol", "fipa-request", "--ontology", "things",
        "--language", "json", "--reply-with", "r-1", "--reply-by", "5s", "--sender", "operator.ann",
    )  # fmt: skip
    (reply,) = answer["replies"]
    assert reply["message"]["content"] == {"n": 1}
    assert reply["message"]["receiver"] == ["operator.ann@local"]
    assert reply["message"]["in_reply_to"] == "r-1"
    assert reply["message"]["conversation_id"] == answer["conversation_id"] == "talk-1"
    first = json.loads(caxton("msg", "show", str(answer["seq"]), "-o", "json", cwd=project).stdout)["message"]
    assert (first["protocol"], first["ontology"], first["language"]) == ("fipa-request", "things", "json")
    assert first["reply_by"].endswith("Z")


def test_the_same_key_twice_is_taken_once(project: Path, counter: str) -> None:
    answers = [ask(project, counter, "{}", "--idempotency-key", f"key-{counter}") for _ in range(2)]
    assert answers[0]["id"] == answers[1]["id"]
    assert ask(project, counter, "{}")["replies"][0]["message"]["content"] == {"count": 2}


def test_no_reply_in_time_is_exit_code_124(project: Path) -> None:
    said = caxton(
        "msg", "send", "--to", "echo", "--performative", "inform", "--wait", "--timeout", "200ms", cwd=project
    )
    assert said.returncode == 124
    assert "0 of 1 replies came within 0.2 s" in said.stderr


def test_a_message_that_breaks_its_protocol_is_exit_code_7_and_says_what_was_legal(project: Path) -> None:
    said = caxton(
        "msg",
        "send",
        "--to",
        "echo",
        "--performative",
        "cfp",
        "--protocol",
        "fipa-request",
        "--wait",
        cwd=project,
    )
    assert said.returncode == 7
    assert "error: cfp in start of fipa-request: out of sequence" in said.stderr
    assert "legal here: request; caxton conv show" in said.stderr


def test_an_unknown_receiver_answers_with_failure_and_its_reason(project: Path) -> None:
    answer = ask(project, "nobody-here", "1", code=5)
    assert answer["replies"][0]["message"]["performative"] == "failure"
    shown = caxton("conv", "show", answer["conversation_id"], cwd=project)
    assert "✗ nobody-here" in shown.stdout


def test_an_act_that_is_none_is_refused(project: Path) -> None:
    said = caxton("msg", "send", "--to", "echo", "--performative", "shout", cwd=project)
    assert said.returncode == 2
    assert "shout" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_conversation_is_shown_with_its_turns(project: Path) -> None:
    answer = ask(project, "echo", '{"deep": [1, 2]}')
    shown = caxton("conv", "show", answer["conversation_id"], cwd=project)
    lines = shown.stdout.splitlines()
    assert len(lines) == 2
    assert re.search(r"operator +request +→ echo .*\[echo: [\d.]+ (µs|ms), [\d,]+ fuel\]", lines[0])
    assert re.search(r'echo +inform +→ operator +\{"deep":\[1,2\]\}', lines[1])
    assert "2 messages" in shown.stderr
    rows = caxton("conv", "show", answer["conversation_id"], "-o", "jsonl", cwd=project).stdout.splitlines()
    assert [json.loads(row)["message"]["performative"] for row in rows] == ["request", "inform"]
    listed = json.loads(caxton("conv", "list", "--agent", "echo", "-o", "json", cwd=project).stdout)
    assert answer["conversation_id"] in [item["id"] for item in listed]


def test_tail_from_a_number_prints_what_followed_and_ends_after_the_count(project: Path) -> None:
    answer = ask(project, "echo", '"tail me"')
    said = caxton(
        "msg", "tail", "--after", str(answer["seq"] - 1), "--count", "2", "-o", "jsonl",
        "--conversation", answer["conversation_id"], cwd=project,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    acts = [json.loads(line)["message"]["performative"] for line in said.stdout.splitlines()]
    assert acts == ["request", "inform"]


def test_tail_follows_what_comes(project: Path) -> None:
    words = [sys.executable, "-m", "caxton.cli", "msg", "tail", "--conversation", "live-1", "-o", "jsonl"]
    with subprocess.Popen(
        [*words, "--after", "0", "--count", "2"],
        stdout=subprocess.PIPE,
        cwd=project,
        env=environment(),
        text=True,
    ) as tail:
        ask(project, "echo", '"live"', "--conversation", "live-1")
        out, _ = tail.communicate(timeout=30)
    assert tail.returncode == 0
    assert [json.loads(line)["message"]["content"] for line in out.splitlines()] == ["live", "live"]


def test_messages_are_listed_newest_last(project: Path) -> None:
    answer = ask(project, "echo", '"list me"')
    rows = json.loads(
        caxton("msg", "list", "--conversation", answer["conversation_id"], "-o", "json", cwd=project).stdout
    )
    assert [row["message"]["performative"] for row in rows] == ["request", "inform"]
    text = caxton("msg", "list", "--conversation", answer["conversation_id"], cwd=project).stdout
    assert text.splitlines()[0].split() == [
        "SEQ",
        "AT",
        "CONVERSATION",
        "SENDER",
        "ACT",
        "RECEIVER",
        "CONTENT",
    ]


def test_lists_are_narrowed_by_a_filter(project: Path) -> None:
    for content in ('"plain"', '"needle 49"'):
        ask(project, "echo", content, "--conversation", f"find-{len(content)}")
    said = caxton("msg", "list", "-f", 'act:inform ~"needle.*9"', "-o", "json", cwd=project)
    (found,) = json.loads(said.stdout)
    assert found["message"]["conversation_id"] == "find-11"
    assert found["message"]["sender"] == "echo@local"
    said = caxton("conv", "list", "-f", "conv:find- agent:echo", "-o", "json", cwd=project)
    assert [found["id"] for found in json.loads(said.stdout)] == ["find-11", "find-7"]
    said = caxton(
        "msg", "tail", "--after", "0", "-n", "1", "-f", "needle !from:echo", "-o", "json", cwd=project
    )
    assert json.loads(said.stdout)["message"]["sender"] == "operator@local"
    said = caxton("msg", "list", "-f", "form:echo", cwd=project)
    assert said.returncode == 2
    assert "there is no field 'form'" in said.stderr
    assert '"form:echo"' in said.stderr


def test_a_conversation_is_drawn_and_its_time_is_shown(project: Path) -> None:
    ask(project, "echo", '"drawn"', "--conversation", "drawn")
    text = caxton("conv", "export", "drawn", "--format", "text", cwd=project).stdout
    assert re.search(r"\? +1 .*├─request─+▶│", text)
    assert re.search(r"= +2 .*│◀─inform─+┤", text)
    svg = caxton("conv", "export", "drawn", "--format", "svg", cwd=project).stdout
    assert svg.startswith("<svg ")
    said = caxton("trace", "show", "drawn", "-o", "json", cwd=project)
    first, answer = json.loads(said.stdout)
    assert (first["agent"], first["status"], answer["agent"]) == ("echo", "ok", None)
    assert first["fuel"] > 0
    assert "▓" in caxton("trace", "show", "drawn", cwd=project).stdout


def test_a_message_that_is_not_there(project: Path) -> None:
    said = caxton("msg", "show", "999999999", cwd=project)
    assert said.returncode == 2
    assert "hint: see: caxton msg list" in said.stderr


def test_health_is_for_probes(project: Path, tmp_path: Path) -> None:
    for option in ([], ["--startup"], ["--ready"]):
        assert caxton("health", *option, cwd=project).returncode == 0
    said = json.loads(caxton("health", "--ready", "-o", "json", cwd=project).stdout)
    assert said["parts"] == {"agents": True, "journal": True, "cells": True}
    (tmp_path / "caxton.toml").write_text("")
    assert caxton("health", cwd=tmp_path).returncode == 4


def test_status_shows_the_daemon_and_its_cell(project: Path) -> None:
    text = caxton("status", cwd=project).stdout
    assert re.search(r"^daemon +running for", text, re.MULTILINE)
    assert re.search(r"^cell \d+ +ready, ", text, re.MULTILINE)
    assert json.loads(caxton("status", "-o", "json", cwd=project).stdout)["pid"] == daemon_process.running(
        project
    )


def test_up_again_is_no_error(project: Path) -> None:
    said = caxton("up", cwd=project)
    assert (said.returncode, said.stdout) == (0, "")
    assert f"already running: pid {daemon_process.running(project)}" in said.stderr


def test_an_agent_is_deployed_listed_shown_and_removed(project: Path) -> None:
    said = caxton(
        "agent", "deploy", "life", project / "counter.wasm", "--settings", '{"a": 1}', "--limit", "fuel=2000000",
        "--limit", "message_bytes=64KiB", "--profile", "strict", cwd=project,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert re.match(r"life runs revision [0-9a-f]{12}: compiled in", said.stderr)
    shown = json.loads(caxton("agent", "show", "life", "-o", "json", cwd=project).stdout)
    assert (shown["state"], shown["settings"], shown["profile"]) == ("running", {"a": 1}, "strict")
    assert (shown["limits"]["fuel"], shown["limits"]["message_bytes"]) == (2_000_000, 65_536)
    assert re.search(
        r"^ +fuel +2,000,000$", caxton("agent", "show", "life", cwd=project).stdout, re.MULTILINE
    )
    assert re.search(r"^life +running ", caxton("agent", "list", cwd=project).stdout, re.MULTILINE)
    deployments = json.loads(caxton("deploy", "list", "-o", "json", cwd=project).stdout)
    mine = next(one for one in deployments if one["agent"] == "life")
    status = caxton("deploy", "status", mine["id"], cwd=project)
    assert status.returncode == 0
    assert re.search(r"^state +running$", status.stdout, re.MULTILINE)
    assert caxton("agent", "remove", "life", cwd=project).returncode == 0
    gone = caxton("agent", "show", "life", cwd=project)
    assert gone.returncode == 5
    assert gone.stderr.startswith("error: ")


def test_stop_start_and_restart_keep_the_state(project: Path, counter: str) -> None:
    assert ask(project, counter, '{"add": 5}')["replies"][0]["message"]["content"] == {"count": 5}
    for words in (("stop",), ("start",), ("restart",), ("stop", "--now"), ("start",)):
        said = caxton("agent", *words, counter, cwd=project)
        assert said.returncode == 0, said.stderr
    assert said.stderr == f"{counter}: running\n"
    assert ask(project, counter, "{}")["replies"][0]["message"]["content"] == {"count": 6}


def test_up_names_an_agent_that_does_not_start_and_leaves_the_others_running(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "echo" / "echo.wasm", tmp_path)
    (tmp_path / "junk.wasm").write_bytes(b"garbage")
    agents = '[agents.echo]\nwasm = "echo.wasm"\n[agents.junk]\nwasm = "junk.wasm"\n'
    (tmp_path / "caxton.toml").write_text(f"cells = 1\n{agents}")
    try:
        said = caxton("up", cwd=tmp_path)
        assert said.returncode == 5
        assert "error: junk did not start: this is not a WebAssembly module" in said.stderr
        assert "1 of 2 agents running" in said.stderr
        assert ask(tmp_path, "echo", "1")["replies"][0]["message"]["content"] == 1
        assert "1 running, 0 stopped, 1 failed" in caxton("status", cwd=tmp_path).stdout
        listed = json.loads(caxton("agent", "list", "-o", "json", cwd=tmp_path).stdout)
        assert [(one["name"], one["state"]) for one in listed] == [("echo", "running"), ("junk", "failed")]
        assert caxton("agent", "logs", "junk", cwd=tmp_path).returncode == 0
        said = caxton("agent", "start", "junk", cwd=tmp_path)
        assert "junk has no build that works: this is not a WebAssembly module" in said.stderr
        assert caxton("down", cwd=tmp_path).returncode == 0
        assert caxton("up", "--partial", cwd=tmp_path).returncode == 0
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)


def test_a_file_that_is_no_module_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"\0asm\1\0\0\0nonsense")
    said = caxton("agent", "deploy", "bad", tmp_path / "bad.wasm", cwd=project)
    assert said.returncode == 5
    assert said.stderr.startswith("error: ")
    missing = caxton("agent", "deploy", "bad", tmp_path / "gone.wasm", cwd=project)
    assert (missing.returncode, "gone.wasm cannot be read" in missing.stderr) == (2, True)


@pytest.mark.parametrize("limit", ["fuel", "fule=3", "fuel=1"])
def test_a_limit_that_is_none_is_refused(limit: str, project: Path) -> None:
    said = caxton("agent", "deploy", "bad", project / "echo.wasm", "--limit", limit, cwd=project)
    assert said.returncode == 2
    assert "fu" in said.stderr


def test_logs_of_an_agent_that_says_nothing(project: Path) -> None:
    said = caxton("agent", "logs", "echo", "-o", "json", cwd=project)
    assert (said.returncode, json.loads(said.stdout)) == (0, [])


def test_the_newest_of_many_log_lines_are_shown(project: Path, tmp_path: Path) -> None:
    record = '{"caxton":"log","message":"x"}'
    line = json.dumps(record)[:-1] + '\\n"'
    wordy = guest(
        handle=f"(i32.store (i32.const 40) (i32.const {100 * len(record) + 100})) (i32.const 0)",
        more=f"(data (i32.const 8192) {' '.join([line] * 100)})",
    )
    (tmp_path / "wordy.wat").write_text(wordy, "utf-8-sig")
    said = caxton("agent", "deploy", "wordy", tmp_path / "wordy.wat", cwd=project)
    assert said.returncode == 0, said.stderr
    with Client(socket_path(project / ".caxton")) as client:
        for _ in range(101):
            client.send({"performative": "inform", "receiver": "wordy", "content": 1})
        client.change_agent("wordy", "drain")
        last = [one.seq for one in client.agent_logs("wordy", limit=2, newest=True)]
        assert last[0] - last[1] == 1
    said = caxton("agent", "logs", "wordy", "-n", "2", "-o", "json", cwd=project)
    assert [one["seq"] for one in json.loads(said.stdout)] == last[::-1]


def test_what_the_terminal_cannot_show_is_shown_in_its_letters(project: Path) -> None:
    said = caxton("msg", "send", "--to", "echo", "--content", '"ä"', "--wait", "-o", "json", cwd=project)
    id = json.loads(said.stdout)["conversation_id"]
    shown = caxton_process("conv", "show", id, cwd=project, PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert " -> " in shown.stdout
    assert "\\xe4" in shown.stdout


def test_top_prints_one_table(project: Path) -> None:
    text = caxton("top", "--interval", "100ms", cwd=project).stdout
    assert re.search(r"^echo +running ", text, re.MULTILINE)
    shown = json.loads(caxton("top", "--interval", "100ms", "-o", "json", cwd=project).stdout)
    assert "echo" in [agent["name"] for agent in shown["agents"]]
    assert shown["cells"][0]["state"] == "ready"


def test_agents_are_completed_from_the_daemon(project: Path) -> None:
    for line, word in (("caxton agent show ec", "3"), ("caxton msg send --to operator,ec", "4")):
        said = caxton(cwd=project, _CAXTON_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=word)
        assert said.stdout.strip().endswith("echo"), (line, said)


def test_the_doctor_finds_this_machine_fit(project: Path) -> None:
    said = caxton("doctor", "-o", "json", cwd=project)
    findings = {one["name"]: one for one in json.loads(said.stdout)}
    assert said.returncode == 0, findings
    assert findings["wasmtime"]["state"] == "ok"
    assert "a daemon answers" in findings["socket"]["found"]


def test_a_daemon_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("")
    (tmp_path / ".caxton").mkdir(mode=0o700)
    (tmp_path / ".caxton" / "journal.db").write_bytes(b"this is no database" * 100)
    said = caxton("up", cwd=tmp_path)
    assert said.returncode == 1
    assert "error: the daemon ended before it was ready" in said.stderr
    assert "journal" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_daemon_that_hangs_is_killed_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    try:
        assert caxton("up", cwd=tmp_path).returncode == 0
        pid = daemon_process.running(tmp_path)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        said = caxton("down", "--timeout", "500ms", cwd=tmp_path)
        assert said.returncode == 124
        assert "--force" in said.stderr
        said = caxton("down", "--timeout", "500ms", "--force", cwd=tmp_path)
        assert (said.returncode, f"killed: pid {pid}" in said.stderr) == (0, True)
        assert caxton("up", cwd=tmp_path).returncode == 0
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)


def test_in_front_the_daemon_logs_here_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    with subprocess.Popen(
        [sys.executable, "-m", "caxton.cli", "up", "--foreground"],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        text=True,
    ) as daemon:
        assert daemon.stderr is not None
        while " ready " not in (line := daemon.stderr.readline()) or "socket=" not in line:
            assert daemon.poll() is None
        assert daemon_process.running(tmp_path) == daemon.pid
        daemon.send_signal(signal.SIGINT)
        daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    assert daemon_process.running(tmp_path) is None


def test_a_reader_that_goes_away_is_no_traceback(project: Path) -> None:
    ask(project, "echo", '"one"')
    words = [sys.executable, "-m", "caxton.cli", "msg", "tail", "--after", "0", "-o", "jsonl"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=project, env=environment(), text=True
    ) as tail:
        assert tail.stdout is not None
        tail.stdout.readline()
        tail.stdout.close()
        ask(project, "echo", '"two"')
        assert tail.stderr is not None
        assert tail.stderr.read() == ""
        tail.wait(30)


def test_a_fipa_string_is_sent_and_a_conversation_comes_back_in_every_form(
    project: Path, tmp_path: Path
) -> None:
    file = tmp_path / "request.acl"
    file.write_text(
        '(REQUEST :conversation-id "6-acl" :reply-with q1 :reply-by +00000000T000005000 :protocol fipa-request\n'
        '  :content "((say \\"hi\\"))" :language fipa-sl :X-Colour red\n'
        "  :receiver (set (agent-identifier :name echo :addresses (sequence http://there:7778/acc))))"
    )
    said = caxton("msg", "send", "--acl", file, "--wait", "-o", "json", cwd=project)
    assert said.returncode == 0, said.stderr
    (reply,) = json.loads(said.stdout)["replies"]
    assert (reply["message"]["content"], reply["message"]["in_reply_to"]) == ('((say "hi"))', "q1")

    def export(form: str) -> str:
        out = caxton("conv", "export", "6-acl", "--format", form, cwd=project)
        assert out.returncode == 0, out.stderr
        return out.stdout

    messages = [json.loads(line) for line in export("jsonl").splitlines()]
    assert json.loads(export("json")) == messages
    assert [message["performative"] for message in messages] == ["request", "inform"]
    assert messages[0]["x_Colour"] == "red"
    assert messages[0]["x_agents"] == [{"name": "echo", "addresses": ["http://there:7778/acc"]}]
    for form in ("fipa-string", "xml"):
        back = caxton("msg", "convert", "--from", form, "--to", "json", stdin=export(form))
        found = [json.loads(line) for line in back.stdout.splitlines()]
        assert found[0].pop("receiver") == [{"name": "echo@local", "addresses": ["http://there:7778/acc"]}]
        assert found == [
            {k: v for k, v in messages[0].items() if k not in ("receiver", "x_agents")},
            messages[1],
        ]
    assert "a1->>a2: request" in export("mermaid")
    again = caxton("msg", "send", "--acl", "-", cwd=project, stdin=export("fipa-string").split("\n(")[0])
    assert "cannot" not in again.stderr
    assert again.returncode == 0


def test_a_fipa_string_with_a_mistake_is_not_sent(project: Path) -> None:
    captured = (
        "(request :sender (agent-identifier :name Client1@example.org:1099/JADE)"
        " :receiver (set (agent-identifier :name echo)))"
    )
    said = caxton("msg", "send", "--acl", "-", "--wait", "-o", "json", cwd=project, stdin=captured)
    assert said.returncode == 0, said.stderr
    assert "sent as operator; that Client1@example.org:1099/JADE said it is kept as x_sender" in said.stderr
    one = json.loads(caxton("msg", "show", json.loads(said.stdout)["id"], "-o", "json", cwd=project).stdout)
    assert one["message"]["sender"] == "operator@local"
    assert one["message"]["x_sender"] == "Client1@example.org:1099/JADE"
    said = caxton("msg", "send", "--acl", "-", "--sender", "operator.ann", cwd=project, stdin=captured)
    assert "sent as operator.ann" in said.stderr
    said = caxton("msg", "send", "--acl", "-", cwd=project, stdin="(request\n :content)")
    assert said.returncode == 2
    assert "stdin: line 2 column 10: expected a string" in said.stderr
    assert caxton("conv", "export", "none-such", cwd=project).returncode == 2


def test_an_agent_goes_to_a_file_and_comes_back(project: Path, counter: str, tmp_path: Path) -> None:
    file = tmp_path / "it.agent"
    ask(project, counter, '{"add": 3}')
    nowhere = caxton("agent", "export", counter, tmp_path / "none" / "it.agent", cwd=project)
    assert (nowhere.returncode, "cannot be used: No such file" in nowhere.stderr) == (1, True)
    assert ask(project, counter, '{"add": 1}')["replies"][0]["message"]["content"] == {"count": 4}
    copied = caxton("agent", "export", counter, file, "--keep", cwd=project)
    assert copied.stderr.startswith(f"{file}: {counter} with a memory of "), copied.stderr
    again = caxton("agent", "export", counter, file, cwd=project)
    assert (again.returncode, f"{file} is there already" in again.stderr) == (2, True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["it.agent"]
    taken = caxton("agent", "import", file, cwd=project)
    assert (taken.returncode, f"there is an agent {counter} here already" in taken.stderr) == (5, True)
    gone = caxton("agent", "export", counter, tmp_path / "gone.agent", cwd=project)
    assert gone.stderr.splitlines()[1].startswith(f"{counter}: stopped here"), gone.stderr
    assert caxton("agent", "remove", counter, "--yes", cwd=project).returncode == 0
    come = caxton("agent", "import", tmp_path / "gone.agent", cwd=project)
    assert come.stderr == f"{counter}: running with its memory\n"
    assert ask(project, counter, '{"add": 1}')["replies"][0]["message"]["content"] == {"count": 5}
    wrong = caxton("agent", "import", project / "echo.wasm", cwd=project)
    assert (wrong.returncode, "this is no bundle of an agent" in wrong.stderr) == (2, True)
