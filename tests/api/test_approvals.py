"""Messages that wait for a yes, over HTTP and by the command line: asked, shown, decided, edited, counted."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from cli.command import caxton as typed

from api.process import CONFIGURATION, Daemon, running
from caxton.client import Client
from caxton.errors import InvalidMessage, NotHeld

RULES = """
[approvals.payments]
where = "to:counter content.add:>100"
timeout = "2h"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    with running(tmp_path_factory.mktemp("approvals") / "shop", CONFIGURATION + RULES) as daemon:
        yield daemon


@pytest.fixture
def caxton(shop: Daemon) -> Generator[Client]:
    with shop.client() as client:
        yield client


def ask(caxton: Client, add: int) -> int:
    sent = caxton.send({"performative": "request", "receiver": "counter", "content": {"add": add}})
    assert (sent.held, sent.approval) == (True, "payments")
    return sent.seq


def test_one_is_asked_edited_and_goes_on(caxton: Client) -> None:
    seq, other = ask(caxton, 500), ask(caxton, 700)
    first, second = caxton.approvals()
    assert (first.seq, first.approval, first.needs, first.by, first.state) == (
        seq,
        "payments",
        ["payments"],
        ["operator"],
        "waiting",
    )
    assert first.until_at is not None
    assert (first.until_at - first.at).total_seconds() == 7200
    assert second.seq == other
    assert caxton.held() == []
    totals = caxton.status()
    assert (totals.approvals.waiting, totals.approvals.rules, totals.held.messages) == (2, 1, 0)
    with pytest.raises(NotHeld, match="waits for the approval payments"):
        caxton.release(seq)
    with pytest.raises(InvalidMessage):
        caxton.edit_approval(seq, {"performative": "sing"})
    assert caxton.edit_approval(seq, {"content": {"add": 300}}).edited
    done = caxton.approve(seq, note="as agreed", through="mcp")
    assert (done.state, done.needs, done.waiting) == ("approved", [], 1)
    with pytest.raises(NotHeld) as gone:
        caxton.refuse(seq)
    assert gone.value.details["state"] == "approved"
    shown = caxton.approval(seq)
    assert (shown.state, shown.went_on, shown.needs) == ("approved", done.went_on, [])
    assert (shown.said.content, shown.message.content) == ({"add": 500}, {"add": 300})
    steps = [(one.step, one.by, one.note) for one in shown.steps]
    assert steps == [
        ("asked", "", ""),
        ("edited", "owner", "content"),
        ("yes", "owner through mcp", "as agreed"),
    ]
    message = caxton.message(str(seq))
    assert message.held
    assert (message.seq, message.held.break_id) == (done.went_on, "approval:payments")
    assert caxton.refuse(other).state == "refused"
    with pytest.raises(NotHeld):
        caxton.approval(99_999)
    log = caxton.approval_steps(limit=3)
    assert [(one.held, one.step) for one in log] == [(other, "no"), (seq, "yes"), (seq, "edited")]
    assert [one.seq for one in caxton.approval_steps(before=log[-1].seq)] < [log[-1].seq]


def test_the_command_line_says_what_waits_and_decides(shop: Daemon, caxton: Client) -> None:
    def cli(*words: str) -> str:
        said = typed("approve", *words, cwd=shop.folder)
        assert said.returncode == 0, said.stderr
        return said.stdout + said.stderr

    sent = typed("msg", "send", "--to", "counter", "--content", '{"add": 900}', cwd=shop.folder)
    (one,) = caxton.approvals()
    assert f"message {one.seq} waits for the approval payments: caxton approve show {one.seq}" in sent.stderr
    assert "payments" in cli("list")
    assert "needs         payments; next decided by operator" in cli("show", str(one.seq))
    assert "for a yes: caxton approve list" in typed("status", cwd=shop.folder).stdout
    edited = cli("edit", str(one.seq), "--content", '{"add": 1}', "--yes")
    assert f"{one.seq} is changed; {one.seq} approved as" in edited
    seq = ask(caxton, 901)
    assert f"{seq} refused as" in cli("no", str(seq), "--note", "too much")
    assert "payments: no by owner: too much" in cli("show", str(seq))
    assert "too much" in cli("log")
    assert "nothing waits for an approval" in cli("list")


def test_a_rule_that_cannot_be_read_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text('[approvals.payments]\nwhere = "state:open"\n', "utf-8")
    said = typed("config", "validate", cwd=tmp_path)
    assert said.returncode == 2
    assert "[approvals.payments] where: state: holds no message" in said.stderr
