"""`caxton task` against a real daemon with the sellers of the market."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tasks.market import act, said, says

from caxton.cli import daemon_process

from .command import ROOT, caxton

pytestmark = pytest.mark.system

REFUSES = says({act("request"): said("refuse", {"reason": "busy"})})


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("t")
    shutil.copy(ROOT / "agents-examples" / "market" / "seller.wasm", folder)
    (folder / "mute.wat").write_bytes(says({}))
    (folder / "busy.wat").write_bytes(REFUSES)
    (folder / "caxton.toml").write_text(
        'cells = 1\n[agents.mute]\nwasm = "mute.wat"\n[agents.busy]\nwasm = "busy.wat"\n'
        + "".join(
            f'[agents.{name}]\nwasm = "seller.wasm"\nsettings = {{ price = {price}, seed = 7 }}\n'
            for name, price in (("ann", 40), ("bob", 44))
        )
    )
    try:
        told = caxton("up", cwd=folder)
        assert told.returncode == 0, told.stderr
        yield folder
        assert caxton("down", cwd=folder).returncode == 0
    finally:
        daemon_process.kill(folder)


def run(market: Path, *words: str, code: int = 0) -> tuple[str, str]:
    told = caxton("task", "run", *words, cwd=market)
    assert told.returncode == code, told.stdout + told.stderr
    return told.stdout, told.stderr


def test_a_contract_net_with_a_table_at_the_end_and_progress_beside_it(market: Path) -> None:
    out, talk = run(
        market, "--protocol", "contract-net", "--to", "ann, bob,mute", "--content", '{"item":"book"}',
        "--reply-by", "1.5", "--choose", "lowest:price",
    )  # fmt: skip
    heading, *rows = out.splitlines()
    assert heading.split() == ["PARTICIPANT", "STATE", "OUTCOME", "PROPOSAL", "RESULT"]
    assert [row.split()[:2] for row in rows] == [
        ["ann", "done"],
        ["bob", "rejected"],
        ["mute", "no-response"],
    ]
    assert "  collecting: 2 propose" in talk
    assert "Completed, awarded: achieved" in talk
    assert "received 1 inform, 2 propose; sent 1 accept-proposal, 1 cfp, 1 reject-proposal" in talk
    id = talk.splitlines()[0].split()[1].rstrip(":")
    shown = caxton("task", "show", id, cwd=market)
    assert (shown.returncode, shown.stdout) == (0, out)
    listed = caxton("task", "list", "-n", "1", cwd=market).stdout.splitlines()[1].split()
    assert listed[:5] == [id, "fipa-contract-net", "Completed", "awarded", "achieved"]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--protocol", "request", "--to", "busy"], 6, "busy@local: refused"),
        (["--protocol", "request", "--to", "nobody"], 5, "nobody@local: failed-delivery"),
        (["--protocol", "request", "--to", "mute", "--reply-by", "200ms"], 124, "mute@local: timed-out"),
        (["--protocol", "brokering", "--to", "ann"], 2, "cannot be run in one call"),
        (["--protocol", "request"], 2, "nobody is named to take part"),
        (["--protocol", "request", "--to", "ann", "--reply-by", "soon"], 2, "is not a duration"),
        (["--protocol", "request", "--to", "ann", "--content", "{"], 2, "is not JSON"),
    ],
)
def test_the_exit_code_says_how_it_ended(market: Path, words: list[str], code: int, reason: str) -> None:
    _, talk = run(market, *words, code=code)
    assert reason in talk


def test_json_is_one_document_on_stdout(market: Path) -> None:
    out, _ = run(market, "--protocol", "query", "--act", "query-ref", "--to", "ann", "-o", "json")
    task = json.loads(out)
    assert (task["ending"], task["received"], task["branches"][0]["state"]) == (
        "achieved",
        {"inform": 1},
        "done",
    )
    shown = caxton("task", "show", task["id"], "-o", "json", cwd=market)
    assert json.loads(shown.stdout) == task
    lines = caxton("task", "list", "-o", "jsonl", cwd=market).stdout.splitlines()
    assert task["id"] in {json.loads(line)["id"] for line in lines}


def test_no_such_task(market: Path) -> None:
    told = caxton("task", "show", "t-1", cwd=market)
    assert (told.returncode, told.stdout) == (2, "")
    assert "there is no task 't-1'" in told.stderr


def test_one_that_runs_on_its_own_is_cancelled(market: Path) -> None:
    out, _ = run(market, "--protocol", "request", "--to", "mute", "--reply-by", "1h", "--detach")
    id = out.strip()
    told = caxton("task", "cancel", id, cwd=market)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[1].split()[:2] == ["mute", "cancelled-unconfirmed"]
    assert "cancelled (mute@local: cancelled-unconfirmed)" in told.stderr
    assert caxton("task", "show", id, cwd=market).returncode == 6
    again = caxton("task", "cancel", id, cwd=market)
    assert (again.returncode, again.stdout) == (5, "")
    assert f"the task {id} has ended" in again.stderr
