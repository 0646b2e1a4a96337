"""Scenarios are played: what holds passes, what does not ends with its own code and the place marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.errors import Exit
from caxton.scenario.result import Verdict

from .files import ADD, COUNTER, EXAMPLES, played, step

ANSWER = "from:counter act:inform"
MARKET = f'format = 1\nproject = "{EXAMPLES / "market"}"\n'
BUY = step(
    send='{ receiver = "buyer", performative = "request", protocol = "fipa-request", conversation_id = "order", '
    'content = { action = "buy", item = "book", rounds = 2 } }'
)

HOLDS = {
    "content": f'{{ filter = "{ANSWER}", content = {{ count = 2 }} }}',
    "path": f'{{ filter = "{ANSWER}", path = {{ count = 2 }} }}',
    "pattern": f'{{ filter = "{ANSWER}", pattern = "count.:2" }}',
    "approximately": f'{{ filter = "{ANSWER}", path = {{ count = {{ approx = 2.4, by = 0.5 }} }} }}',
    "count": f'{{ filter = "{ANSWER}", count = 1 }}',
    "order": '{ order = ["act:request", "act:inform"] }',
    "fuel": '{ filter = "to:counter", fuel = "<50000" }',
    "latency": f'{{ filter = "{ANSWER}", latency = "<1ms" }}',
    "memory": '{ agent = "counter", memory = "<=64KiB" }',
    "violations": "{ violations = 0, dead_letters = 0 }",
}
FAILS = {
    "content": (f'{{ filter = "{ANSWER}", content = {{ count = 3 }} }}', "count", "3", "2"),
    "path": (f'{{ filter = "{ANSWER}", path = {{ sum = 2 }} }}', "sum", "2", "nothing"),
    "pattern": (f'{{ filter = "{ANSWER}", pattern = "sum" }}', "content", "sum", "count"),
    "count": (f'{{ filter = "{ANSWER}", count = 2 }}', "messages", "2", "1 message"),
    "none": ('{ filter = "act:refuse" }', "messages", "at least 1", "none"),
    "order": ('{ order = ["act:inform", "act:request"] }', "number 2", "act:request", "before"),
    "fuel": ('{ filter = "to:counter", fuel = "<5" }', "fuel", "<5", ","),
    "latency": (f'{{ filter = "{ANSWER}", latency = ">1s" }}', "latency", ">1s", "s"),
    "memory": ('{ agent = "counter", memory = "<1KiB" }', "memory of counter", "<1KiB", "KiB"),
    "violations": ("{ violations = 1 }", "violations", "1", "0"),
    "dead letters": ('{ dead_letters = ">0" }', "dead letters", ">0", "0"),
    "state": ('{ conversation = "step-1", state = "Completed" }', "state", "Completed", "not judged"),
    "conversation": ('{ conversation = "x", outcome = "y" }', "outcome", "y", "no such conversation"),
}


def test_every_expectation_can_hold(tmp_path: Path) -> None:
    result = played(tmp_path, ADD + "".join(step(expect=text) for text in HOLDS.values()))
    assert result.passed, result.lines()
    assert (result.exit, result.messages) == (Exit.OK, 2)
    assert result.digest


@pytest.mark.parametrize("kind", FAILS)
def test_every_expectation_can_fail_and_says_why(kind: str, tmp_path: Path) -> None:
    text, what, expected, got = FAILS[kind]
    result = played(tmp_path, ADD + step(expect=text))
    assert (result.verdict, result.exit, result.step) == (Verdict.FAILED, Exit.EXPECTATION, 1)
    unlike = result.difference
    assert unlike
    assert (what in unlike.what, expected in unlike.expected, got in unlike.got) == (True, True, True), unlike
    assert result.line == 7
    assert "here: " in result.diagram


def test_the_place_is_marked_in_the_diagram(tmp_path: Path) -> None:
    result = played(tmp_path, ADD + step(expect=FAILS["content"][0]))
    lines = result.diagram.splitlines()
    (marked,) = [n for n, line in enumerate(lines) if line.startswith("▶")]
    assert "inform" in lines[marked]
    assert lines[marked + 1].strip() == "▲ here: content, count: expected 3, got 2"


def test_what_is_waited_for_and_does_not_come_is_a_time_out(tmp_path: Path) -> None:
    result = played(tmp_path, ADD + step(wait='{ filter = "act:refuse", within = "2h" }'))
    assert (result.verdict, result.exit) == (Verdict.TIMED_OUT, Exit.TIMED_OUT)
    assert result.virtual_s == pytest.approx(7200, abs=1)


def test_each_wait_finds_another_message(tmp_path: Path) -> None:
    wait = step(wait=f'{{ filter = "{ANSWER}" }}')
    assert played(tmp_path, ADD + ADD + wait + wait).passed
    assert played(tmp_path, ADD + wait + wait).verdict is Verdict.TIMED_OUT


def test_what_must_not_come(tmp_path: Path) -> None:
    quiet = step(wait="{ quiet = 1 }")
    assert played(tmp_path, ADD + quiet + step(expect_nothing=f'{{ filter = "{ANSWER}" }}')).passed
    delayed = step(delay='{ filter = "to:counter", by = "5s" }')
    came = played(tmp_path, delayed + ADD + step(expect_nothing=f'{{ filter = "{ANSWER}", within = "6s" }}'))
    assert came.verdict is Verdict.FAILED
    assert came.difference
    assert "inform from counter@local" in came.difference.got


def test_a_violation_that_nobody_expects_ends_with_its_own_code(tmp_path: Path) -> None:
    wrong = step(send='{ receiver = "buyer", performative = "inform", protocol = "fipa-request" }')
    result = played(tmp_path, wrong, MARKET)
    assert (result.verdict, result.exit) == (Verdict.VIOLATED, Exit.PROTOCOL)
    assert "legal here: request" in result.diagram
    assert played(tmp_path, wrong + step(expect="{ violations = 1 }"), MARKET).passed


def test_a_limit_and_an_unknown_agent_end_with_their_codes(tmp_path: Path) -> None:
    few = COUNTER.replace("format = 1", "format = 1\nlimits = { mailbox = 2 }")
    fill = step(fill='{ agent = "counter" }')
    full = played(tmp_path, fill + ADD, few)
    assert (full.verdict, full.exit) == (Verdict.LIMIT, Exit.LIMIT)
    assert played(tmp_path, fill + step(wait="{ quiet = 1 }") + ADD, few).passed
    large = step(send=f'{{ receiver = "counter", performative = "inform", content = "{"x" * 300_000}" }}')
    assert played(tmp_path, large).verdict is Verdict.LIMIT
    unknown = played(tmp_path, step(swap='{ agent = "nobody" }'))
    assert (unknown.verdict, unknown.exit) == (Verdict.BROKEN, Exit.AGENT_FAILED)
    assert unknown.hint == "agents here: counter"


def test_a_whole_protocol_is_one_step(tmp_path: Path) -> None:
    sellers = '["seller-ann", "seller-bob", "seller-cleo"]'
    call = f'{{ protocol = "contract-net", to = {sellers}, choose = "lowest:price", '
    call += 'content = { item = "book", round = 1 }'
    assert played(tmp_path, step(task=f"{call} }}"), MARKET).passed
    other = played(tmp_path, step(task=f'{call}, ending = "failed" }}'), MARKET)
    assert other.difference
    assert (other.difference.expected, other.difference.got) == ("failed", "achieved")


def test_conversations_have_states(tmp_path: Path) -> None:
    done = step(expect='{ conversation = "order", state = "Completed", outcome = "achieved" }')
    assert played(tmp_path, BUY + done, MARKET).passed


def test_every_fault_in_one_run_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Each `send` is on disk when its step is over: each is counted once, whatever breaks."""
    steps = [
        step(fail_disk='{ error = "io", times = 3, landed = true }'),
        ADD,
        step(crash_cell='"counter"'),
        ADD,
        step(delay='{ filter = "to:counter", by = "20ms" }'),
        ADD,
        step(kill_daemon="{}"),
        ADD,
        step(swap='{ agent = "counter" }'),
        ADD,
        step(kill_daemon="{ after = 2 }"),
        step(advance='"1h"'),
        step(wait="{ quiet = 1 }"),
        ADD,
        step(expect='{ filter = "from:counter act:inform", count = ">=6", within = "1m" }'),
        step(expect='{ filter = "from:counter conv:step-14", content = { count = 12 } }'),
        step(expect="{ dead_letters = 0, violations = 0 }"),
    ]
    for seed in range(3):
        result = played(tmp_path, "".join(steps), seed=seed)
        assert result.passed, result.lines()


def test_a_revision_that_is_not_the_one_is_refused(tmp_path: Path) -> None:
    result = played(tmp_path, ADD, f'{COUNTER}sha256 = "{"0" * 64}"')
    assert (result.verdict, result.exit) == (Verdict.BROKEN, Exit.USAGE)
    assert "revision" in result.what
