"""Every command line of the documentation is typed and does what it is for, or it is said here why it is not typed."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest
from processes import built_python_runtime

from caxton.cli import daemon_process

from .command import ROOT
from .docs_lines import Line, Shell, lines
from .docs_market import Market

pytestmark = pytest.mark.system

ELSEWHERE: Final = {
    r"docs/(effects|models|tools)\.md": "tests/effects/test_page.py",
    r"docs/(tutorial|first-agent)\.md": "tests/flow/test_tutorial.py",
    r"docs/(tutorial-python|patterns|from-.*)\.md": "tests/testing/test_patterns.py",
}
"""Pages that another test types, which also compares what they show."""
NOT_TYPED: Final[dict[str, str]] = {
    r"python3 -m (venv|pip)": "installs Caxton: just readme-runs, just first-agent, tests/house/test_installed.py",
    r"\. \.venv/bin/activate": "the shell here finds caxton already",
    r"\.ci/check\.py": "the gate, which runs this test",
    r"\.venv/bin/caxton demo": "the same as caxton demo",
    r"CAXTON_URL|CAXTON_LISTEN_TCP|caxton (context|cert|audit)": "a daemon elsewhere: tests/access",
    r"caxton record": "tests/scenario/test_recording.py",
    r"caxton (why|diff|fork)": "messages and runs that are not here: tests/history",
    r"caxton web --listen": "needs certificates: tests/web",
    r"caxton approve (show|yes|no|edit)|--to pay ": "messages that wait are not here: tests/api/test_approvals.py",
    r"^pip install": "installs an extra of a package that is published nowhere yet",
    r"--to a2a\.": "an agent of another system: tests/gateways/test_a2a.py",
    r"grpcurl": "a program of others: tests/gateways/test_grpc.py has a client of its own",
    r"docker": "needs a container engine",
    r"telemetry test|\[telemetry\]": "needs a collector: tests/flow/test_otlp.py",
    r"-p ~/other": "the same as caxton agent import, in a second project",
    r"deploy ask-live": "a build that the gate stopped: tests/cli/test_pins.py",
    r"caxton mcp --read-only": "speaks MCP on stdin: tests/cli/test_mcp.py",
    r"caxton bench": "measures for minutes: tests/bench",
    r"python build": "builds anew what other tests use: tests/sandbox/test_python_build.py",
}
GOES_ON: Final[dict[str, tuple[str, str]]] = {
    r"caxton demo.*--stream": ("bought", ""),
    r"caxton demo": ("buyer", "q"),
    r"caxton dev.*(--ui|\|)": ("watching|started", "\x03"),
    r"caxton dev": ("watching", "q"),
    r"caxton (-p ~/market )?tui": ("market", "q"),
    r"caxton web": ("enter.once", "\x03"),
    r"msg tail.*--count": ("operator", "\x03"),
    r"msg tail": (".", "\x03"),
    r"--watch|--follow|curl.*-N|--foreground": (".", "\x03"),
    r"--strategy blue-green": ("runs revision", ""),
}
"""What goes on until a key ends it or takes its time: what is to be seen before that, and the key."""
SLOW: Final = re.compile(r"\$\(|caxton (-p \S+ )?(up|down|restore|journal repair|doctor|top|run|explore)")
"""What takes a second or more, or the daemon away, is left to the long check."""
ENDS: Final = {"caxton conv diff": (6,), "caxton replay": (0, 6), "caxton journal export": (0, 7)}
"""Exit codes that are an answer."""
OF_THEIR_OWN: Final = re.compile(r"README\.md|docs/scenarios\.md")
"""Pages whose lines make a project of their own, one after the other."""


def kind(line: Line) -> str:
    """`typed`, `goes on`, or why it is neither."""
    for pattern, test in ELSEWHERE.items():
        if re.fullmatch(pattern, line.page):
            return test
    for pattern, why in NOT_TYPED.items():
        if re.search(pattern, line.text):
            return why
    return "goes on" if any(re.search(pattern, line.text) for pattern in GOES_ON) else "typed"


ALL: Final = list(lines())
MARKET: Final = [line for line in ALL if not OF_THEIR_OWN.search(line.page)]
PROJECTS: Final = sorted(
    {line.page for line in ALL if OF_THEIR_OWN.search(line.page) and kind(line) == "typed"}
)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    built_python_runtime()
    folder = tmp_path_factory.mktemp("home") / "market"
    folder.mkdir()
    try:
        market = Market(folder)
        market.say("up")
        market.trade()
        yield market
    finally:
        daemon_process.kill(folder)


def test_what_is_said_of_lines_is_said_of_lines_that_are_there() -> None:
    for pattern in (*NOT_TYPED, *GOES_ON, *ENDS):
        assert any(re.search(pattern, line.text) for line in ALL), pattern


@pytest.mark.timeout(600)  # some 170 commands, and a machine that may have much else to do
@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.long)])
def test_lines_about_the_market(market: Market, slow: bool) -> None:
    amiss = []
    for line in MARKET:
        if kind(line) == "typed" and slow == bool(SLOW.search(line.text)):
            said = Shell(market.folder, market.folder.parent).type(market.ready(line.text))
            ends = next((codes for words, codes in ENDS.items() if line.text.startswith(words)), (0,))
            if said.returncode not in ends:
                amiss.append(f"{line.page}: {line.text}\n  {said.returncode} {said.stderr or said.stdout}")
    assert not amiss, "\n".join(amiss)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("line", dict.fromkeys(line.text for line in MARKET if kind(line) == "goes on"))
def test_a_line_that_goes_on(market: Market, line: str) -> None:
    seen, key = next(what for pattern, what in GOES_ON.items() if re.search(pattern, line))
    with closing(Shell(market.folder, market.folder.parent).start(market.ready(line))) as terminal:
        terminal.until(seen, 60 if key != "\x03" else 15)
        # what is not ours, or has not said that it takes it, is ended by the signal itself
        assert terminal.end(key) in (0, 130, -signal.SIGINT), terminal.shown
        assert "Traceback" not in terminal.shown


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PROJECTS)
def test_a_page_that_makes_a_project(tmp_path: Path, page: str) -> None:
    shutil.copytree(
        ROOT / "agents-examples", tmp_path / "agents-examples", ignore=shutil.ignore_patterns(".caxton")
    )
    for source in re.findall(r"^```c\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        (tmp_path / "hello.c").write_text(source)
    shell = Shell(tmp_path, tmp_path)
    try:
        with ExitStack() as open_ones:
            for line in ALL:
                if line.page == page and kind(line) == "goes on":
                    terminal = open_ones.enter_context(closing(shell.start(line.text)))
                    terminal.until("watching", 60 if "caxton dev" in line.text else 5)
                elif line.page == page and kind(line) == "typed":
                    said = shell.type(line.text)
                    assert said.returncode == 0, f"{line.text}\n{said.stderr or said.stdout}"
    finally:
        for configured in tmp_path.glob("**/.caxton"):
            daemon_process.kill(configured.parent)
