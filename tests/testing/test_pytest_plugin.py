"""The plugin in a pytest of its own: fixtures, scenario files as tests, what a failure shows, what is loaded when."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from caxton.example_modules import module
from caxton.testing.script import AsyncScript, Script, Unexpected
from testing.orders import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
def test_a_market(caxton):
    caxton.deploy("market")
    caxton.send(
        {"action": "buy", "item": "book", "rounds": 1}, to="buyer", protocol="fipa-request", conversation_id="order"
    )
    (report,) = caxton.expect("from:buyer act:inform conv:order", path={"bought": 1})
    assert report.message.content["failed"] == 0
    caxton.expect("from:buyer act:inform conv:order", content={})

async def test_a_coroutine(caxton_async):
    await caxton_async.deploy("market")
    sellers = ["seller-ann", "seller-bob"]
    book = {"item": "book", "round": 1}
    done = await caxton_async.task("contract-net", to=sellers, content=book, choose="lowest:price")
    assert done.ending == "achieved"
"""
SCENARIO = """
[[step]]
send = { receiver = "seller-ann", performative = "query-ref" }

[[step]]
expect = { filter = "from:seller-ann act:inform", path = { price = PRICE } }
"""


@pytest.mark.system
def test_in_a_pytest_of_its_own(tmp_path: Path) -> None:
    market = tmp_path / "market"
    market.symlink_to(EXAMPLES / "market")
    (tmp_path / "test_it.py").write_text(TESTS)
    for name, price in (("right", "40 }"), ("wrong", "41 }"), ("typo", '40 }, fulter = "x"')):
        head = f'format = 1\nname = "{name}"\nproject = "market"\n'
        (tmp_path / f"{name}.toml").write_text(head + SCENARIO.replace("PRICE }", price))
    (tmp_path / "other.toml").write_text("format = 1\n")
    plugins = ["-p", "caxton.pytest_plugin", "-p", "pytest_asyncio.plugin", "-p", "xdist"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n2",
            *plugins,
            "-o",
            "asyncio_mode=auto",
            "-p",
            "no:cacheprovider",
            "--ignore=market",
            ".",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert re.search(r"3 failed, 2 passed", said), said
    for failed in ("test_it.py::test_a_market", "wrong.toml::wrong", "typo.toml::typo"):
        assert f"FAILED {failed}" in said
    assert "▲ here: content, price: expected 41, got 40" in said
    assert "again: caxton run" in said
    assert "typo.toml:9: unknown key 'step[2].expect.fulter'" in said
    assert "hint: did you mean 'filter'?" in said
    assert "▲ here: content, bought: expected nothing, got 1" in said


@pytest.mark.system
def test_nothing_of_ours_is_loaded_before_a_fixture_is_used() -> None:
    ours = "sorted(name for name in sys.modules if name.startswith('caxton.'))"
    code = f"import sys, caxton.pytest_plugin; print({ours})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['caxton.pytest_plugin']"


def test_pytest_finds_it_by_itself() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"caxton": "caxton.pytest_plugin"}


def test_what_breaks_is_a_step(tmp_path: Path) -> None:
    script = Script(tmp_path, seed=3)
    try:
        script.deploy({"counter": module("counter")})
        for number in range(3):
            script.send({"add": 1}, to="counter", conversation_id=f"c-{number}")
            script.step(kill_daemon={})
        script.expect("from:counter conv:c-2", content={"count": 3})
        script.deploy({"other": module("counter")})
        script.send({"add": 4}, to="other", sender="operator.ann")
        assert script.wait("from:other")
        script.step(delay={"filter": "to:other", "by": "2s"})
        script.send({"add": 0}, to="other")
        script.expect_nothing("from:other", within=1)
        with pytest.raises(Unexpected, match="inform from other@local"):
            script.expect_nothing("from:other", within="2s")
    finally:
        script.close()


async def test_a_coroutine_runs_beside_its_script(tmp_path: Path) -> None:
    script = AsyncScript(Script(tmp_path))
    try:
        await script.deploy({"counter": module("counter")})
        sent = await script.send({"add": 2}, to="counter")
        (answer,) = await script.expect("from:counter", content={"count": 2})
        assert answer.message.conversation_id == sent.conversation_id
        with pytest.raises(Unexpected):
            await script.expect("from:counter", count=2, within="1m")
    finally:
        script.end()
