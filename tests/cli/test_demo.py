"""The demo as a person runs it: it shows the trade, sums it up, ends, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from shapes import made

from caxton.cli import daemon_process
from caxton.cli.market_demo import reports
from caxton.cli.output.market_story import MarketStory
from caxton.errors import AgentError
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message

from .command import caxton, environment

pytestmark = pytest.mark.system


@pytest.fixture
def home() -> Iterator[Path]:
    """A temporary folder with a short name: sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="cx") as folder:
        yield Path(folder)


def test_the_demo_shows_the_market_and_ends(home: Path) -> None:
    # more time than it needs: on a busy machine the rounds take longer
    said = caxton("demo", "--seconds", "60", TMPDIR=str(home))
    assert said.returncode == 0, said.stderr
    assert "the time is up" not in said.stderr
    assert "\x1b" not in said.stdout
    for number in range(1, 7):
        assert f"\nmarket-{number}  fipa-contract-net\n" in said.stdout
    assert re.search(r"buyer +cfp +→ seller-ann", said.stdout)
    assert re.search(r"buyer +accept-proposal +→ seller-", said.stdout)
    assert re.search(r'buyer +inform +→ operator +\{"bought":\d', said.stdout)
    assert re.search(r"outcomes +\d of 6 bought for \d+", said.stdout)
    assert re.search(r"fuel +[\d,]+ in \d+ turns", said.stdout)
    assert re.search(r"no pauses +[\d,]+ messages/s: 500 rounds", said.stdout)
    assert "go on with:\n  caxton new counter" in said.stderr
    assert not list(home.iterdir())


@pytest.mark.long
def test_keep_leaves_a_project_that_can_be_looked_at(home: Path) -> None:
    said = caxton("demo", "--rounds", "1", "--seconds", "60", "--keep", TMPDIR=str(home))
    assert said.returncode == 0, said.stderr
    (kept,) = home.glob("caxton-demo-*/market")
    assert f"kept: {kept}" in said.stderr
    assert daemon_process.running(kept) is None
    try:
        assert caxton("-p", kept, "up").returncode == 0
        assert "cfp" in caxton("-p", kept, "conv", "show", "market-1").stdout
        assert caxton("-p", kept, "down").returncode == 0
    finally:
        daemon_process.kill(kept)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_demo_that_is_ended_early_takes_everything_with_it(number: signal.Signals, home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "caxton.cli", "demo", "--rounds", "100", "--seconds", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(TMPDIR=str(home)),
        text=True,
        # whoever runs the tests in the background has them ignore it, and children with them
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as demo:
        assert demo.stdout is not None
        while "cfp" not in demo.stdout.readline():
            assert demo.poll() is None
        (folder,) = home.glob("caxton-demo-*/market")
        assert daemon_process.running(folder) is not None
        demo.send_signal(number)
        _, err = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert "stopped before the end" in err
    assert not list(home.iterdir())


def test_each_step_of_the_trade_is_explained_once() -> None:
    story = MarketStory()

    def of(act: str, protocol: str = "fipa-contract-net") -> str | None:
        return story.of(made(MessageBody, {"message": {"performative": act, "protocol": protocol}}))

    assert of("request", "fipa-request") is None
    assert of("inform", "fipa-request") is None
    assert "calls for proposals" in (of("cfp") or "")
    assert of("cfp") is None
    assert all(
        of(act) for act in ("propose", "refuse", "accept-proposal", "inform", "failure", "not-understood")
    )


def test_only_the_buyers_inform_ends_the_order_well() -> None:
    def said(act: str, conversation: str = "c-1") -> Message:
        fields = {"performative": act, "conversation_id": conversation, "content": {"reason": "no timer"}}
        return Message(fields)

    assert [reports(said(act), "c-1") for act in ("request", "agree", "inform")] == [False, False, True]
    assert not reports(said("failure", "market-1"), "c-1")
    for act in ("refuse", "failure", "not-understood"):
        with pytest.raises(AgentError, match="no timer"):
            reports(said(act), "c-1")
