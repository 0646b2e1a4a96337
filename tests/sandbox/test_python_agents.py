"""Python agents in a real cell: what they say, what they may use and cannot reach, what becomes of their state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caxton.limits import MIB
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.frames import Kind
from caxton.sandbox.python.build import PythonRuntime
from caxton.sandbox.python.runtime import packed
from caxton.turn_status import Status

from .cell_client import CellClient, Result

# the first test may have to build the runtime
pytestmark = pytest.mark.timeout(900)

COUNTER = """
state.setdefault("n", 0)

def handle(message):
    state["n"] += 1
    reply("inform", {"n": state["n"]})
"""
CHANCE = """
import datetime, random, secrets, time, uuid

def handle(message):
    reply("inform", [random.random(), random.sample(range(1000), 5), secrets.token_hex(8), str(uuid.uuid4()),
        str(uuid.uuid1()), time.time(), time.monotonic(), time.perf_counter(), str(datetime.datetime.now())])
"""


class Python:
    """One cell; sources are compiled as the daemon compiles them."""

    def __init__(self, folder: Path, runtime: PythonRuntime) -> None:
        self._folder = folder
        self._runtime = runtime
        self.cell = CellClient(self.compiled("def handle(message): pass"))
        self._seq = 0

    def compiled(self, source: str) -> Path:
        async def work() -> Path:
            compiler = Compiler(self._folder / "modules", runtime=self._runtime.compiled)
            try:
                return (await compiler.compile(packed(Path("agent.py"), source.encode()))).module_path
            finally:
                await compiler.close()

        return asyncio.run(work())

    def load(self, source: str, slot: int = 1, settings: Any = None, **limits: int) -> Result:
        self.cell.module = self.compiled(source)
        return self.cell.load(slot, b"", settings=settings, **limits)

    def start(self, source: str, slot: int = 1, settings: Any = None, **limits: int) -> None:
        loaded = self.load(source, slot, settings, **limits)
        assert loaded.status == Status.OK, loaded.body
        assert loaded.json["hooks"] == ["init", "restore", "shutdown", "snapshot"]

    def turn(self, content: Any = None, slot: int = 1, **more: Any) -> Result:
        self._seq += 1
        message = {
            "id": f"m-{content}",
            "performative": "request",
            "sender": "x@local",
            "timestamp": 1_700_000_000_000_000,
            "content": content,
            **more,
        }
        self.cell.turn(slot, self._seq, json.dumps(message).encode())
        return self.cell.result()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, python_runtime: PythonRuntime) -> Iterator[Python]:
    made = Python(tmp_path_factory.mktemp("python"), python_runtime)
    yield made
    made.cell.close()


def said(result: Result) -> list[Any]:
    """The lines of a turn that went well."""
    assert result.status == Status.OK, result.body
    return [json.loads(line) for line in result.body.split(b"\n") if line]


def content(result: Result) -> Any:
    (line,) = said(result)
    return line["content"]


def refused(result: Result) -> tuple[str, str]:
    """The reason of a turn that the agent refused, and all that it logged."""
    assert result.status == Status.GUEST_ERROR, result.body
    reason, *records = result.body.decode().split("\n")
    return reason, "\n".join(json.loads(record)["message"] for record in records)


def test_replies_messages_and_log_lines(python: Python) -> None:
    python.start(
        """
import logging
def handle(message):
    print("one"); print("two", end="")
    log("three", level="warning")
    logging.getLogger("a.b").error("four %d", 4)
    reply("inform", {"was": message["content"], "me": name, "of": settings["of"]}, language="json", x_y=1)
    send("request", ["a", "b@local"], "ä", protocol="fipa-request")
""",
        settings={"of": 7},
    )
    result = python.turn("hello")
    assert result.count == 2
    logs = [(one["level"], one["message"]) for one in said(result) if "caxton" in one]
    assert logs == [("info", "one"), ("warning", "three"), ("error", "a.b: four 4"), ("info", "two")]
    messages = [one for one in said(result) if "caxton" not in one]
    assert messages == [
        {
            "performative": "inform",
            "content": {"was": "hello", "me": "a", "of": 7},
            "language": "json",
            "x_y": 1,
        },
        {"performative": "request", "receiver": ["a", "b@local"], "protocol": "fipa-request", "content": "ä"},
    ]
    assert 0 < result.fuel < 10_000_000


def test_the_names_can_be_imported_for_editors(python: Python) -> None:
    python.start("from caxton_agent import reply, state\ndef handle(message): reply('inform', state)")
    assert content(python.turn()) == {}


def test_the_same_message_gives_the_same_answer(python: Python) -> None:
    python.start(CHANCE, slot=1)
    python.start(CHANCE, slot=2)
    for _ in range(3):
        python.turn("something before", slot=2)
    first, second = (python.turn("now", slot=slot) for slot in (1, 2))
    assert content(first) == content(second)
    assert python.turn("now", slot=1).body == first.body
    other = content(python.turn("then", slot=1))
    assert [a != b for a, b in zip(other, content(first), strict=True)] == [True] * 5 + [False] * 4
    assert content(first)[-1] == "2023-11-14 22:13:20"
    # another agent, or one with other settings, draws other numbers
    python.start(CHANCE, slot=2, settings={"seed": 1})
    assert content(python.turn("now", slot=2))[:3] != content(first)[:3]


def test_an_answer_follows_from_state_and_message_alone(python: Python) -> None:
    """One instance runs a thousand turns; the other is replaced every 97, its state carried. They say the same."""
    source = CHANCE.replace(
        "    reply(",
        """    state["n"] = state.get("n", 0) + 1
    if state["n"] % 10 == 0:
        raise LookupError(sorted(vars())[0])
    words = {random.choice("abc") * n for n in range(state["n"] % 30)}
    reply("inform", [state, list(words), f"{words}", decimal.Decimal(state["n"]).sqrt().to_eng_string()])
    reply(""",
    ).replace("import datetime", "import decimal, datetime")
    python.start(source, slot=1)
    python.start(source, slot=2)
    slot = 2
    for number in range(1000):
        one, other = python.turn(number, slot=1), python.turn(number, slot=slot)
        assert (one.status, one.count, one.body) == (other.status, other.count, other.body), number
        if number % 97 == 96:
            python.start(source, slot=5 - slot)
            assert python.cell.swap(5 - slot, slot).json["state"] == "carried"
            slot = 5 - slot


def test_an_exception_names_its_line_and_takes_the_turn_back(python: Python) -> None:
    python.start(
        COUNTER
        + """
    state["list"] = [1]
    if message["content"] == "fail":
        print("so far")
        raise_it(state)

def raise_it(state):
    return state["no such key"]
"""
    )
    assert content(python.turn()) == {"n": 1}
    reason, logged = refused(python.turn("fail"))
    assert reason == "agent.py:14: KeyError: 'no such key'"
    assert logged.startswith("so far\nTraceback (most recent call last):")
    assert 'File "agent.py", line 11, in handle' in logged
    assert 'return state["no such key"]' in logged
    assert "caxton_runtime" not in logged
    assert content(python.turn()) == {"n": 2}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("open('/etc/passwd')", "PermissionError: an agent has no files"),
        ("import os; os.listdir('/')", "FileNotFoundError"),
        ("import os; os.open('/etc/passwd', 0)", "FileNotFoundError"),
        ("import os; os.environ['HOME']", "KeyError: 'HOME'"),
        ("import socket", "ModuleNotFoundError"),
        ("import subprocess; subprocess.run('ls')", "ModuleNotFoundError"),
        ("import time; time.sleep(1)", "RuntimeError: an agent does not sleep"),
        ("import requests", "ModuleNotFoundError: No module named 'requests'"),
        ("import sys; sys.exit(1)", "SystemExit: 1"),
        ("input()", "PermissionError"),
        ("return {'performative': 'inform'}", "handle returned dict"),
        ("reply('inform', {1, 2})", "the message is no JSON"),
        ("reply('inform', content=float('nan'))", "the message is no JSON"),
        ("reply('inform', to='x')", "a message has no field 'to'"),
        ("def f(n): return f(n + 1)\n    f(0)", "RecursionError"),
        ("x = [bytearray(1 << 20) for _ in range(100)]", "MemoryError"),
        ("import threading; threading.Thread(target=print).start()", "RuntimeError: can't start new thread"),
    ],
)
def test_what_is_refused_is_an_ordinary_error(python: Python, line: str, says: str) -> None:
    python.start(
        f"def handle(message):\n    if message['content'] != 'go': return reply('inform')\n    {line}\n"
    )
    reason, _ = refused(python.turn("go"))
    assert says in reason
    assert reason.startswith("agent.py")
    assert said(python.turn()) == [{"performative": "inform"}]


@pytest.mark.parametrize(
    ("line", "status", "code", "says"),
    [
        ("import _socket; _socket.socket()", Status.TRAP, "not_allowed", "wasi:sockets/tcp-create-socket"),
        ("import select; select.select([], [], [], 5)", Status.TRAP, "not_allowed", "subscribe-duration"),
        ("import posix; posix.write(1, b'x')", Status.TRAP, "not_allowed", "wasi:cli/stdout"),
        ("import posix; posix._exit(0)", Status.TRAP, "not_allowed", "wasi:cli/exit"),
        ("import posix; posix.abort()", Status.TRAP, "trap", "unreachable"),
        ("import time\n    while True: time.time()", Status.TRAP, "trap", "more than 10,000 times"),
        (
            "import os\n    os.urandom(1 << 16)\n    while True: os.urandom(256)",
            Status.TRAP,
            "trap",
            "65,536 random bytes",
        ),
        ("while True: pass", Status.LIMIT, "fuel", "10,000,000 units of fuel"),
        ("for _ in range(1_100): reply('inform')", Status.LIMIT, "messages_out", "1,100 messages"),
        (
            "for _ in range(70): reply('inform', 'x' * 20_000)",
            Status.LIMIT,
            "output_bytes",
            "1,048,576 bytes",
        ),
        ("for _ in range(30_000): reply('i')", Status.LIMIT, "output_bytes", "lines"),
        ("reply('inform', 'x' * 300_000)", Status.LIMIT, "message_bytes", "262,144 bytes"),
    ],
)
def test_what_goes_too_far_costs_the_instance(
    python: Python, line: str, status: Status, code: str, says: str
) -> None:
    fuel = 10_000_000 if code == "fuel" else 100_000_000_000
    python.start(f"def handle(message):\n    {line}\n", fuel=fuel, wall_ms=20_000)
    result = python.turn("go")
    assert (result.status, result.json["code"]) == (status, code), result.body
    assert says in result.json["reason"]
    assert python.turn().status == Status.UNHANDLED


def test_wall_time_is_kept(python: Python) -> None:
    python.start("def handle(message):\n    while True: pass\n", fuel=10**12, wall_ms=100)
    result = python.turn()
    assert (result.status, result.json["code"]) == (Status.LIMIT, "wall_time")
    assert result.turn_us >= 100_000


def test_a_message_that_is_too_long_is_not_handled(python: Python) -> None:
    python.start(COUNTER, message_bytes=1000)
    result = python.turn("x" * 1000)
    assert (result.status, result.json["code"]) == (Status.UNHANDLED, "message_bytes")
    assert content(python.turn()) == {"n": 1}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def handle(message)\n    pass", "agent.py:1:20: SyntaxError: expected ':'"),
        ("x = 1\nimport numpy\ndef handle(message): pass", "agent.py:2: ModuleNotFoundError"),
        ("def handel(message): pass", "there is no function handle"),
        ("reply('inform')\ndef handle(message): pass", "messages are sent while one is handled"),
        ("while True: pass", "units of fuel"),
    ],
)
def test_what_does_not_begin_is_not_loaded(python: Python, source: str, says: str) -> None:
    result = python.load(source)
    assert result.status != Status.OK
    assert says in result.json["reason"]


def test_state_goes_over_to_another_build(python: Python) -> None:
    python.start(COUNTER, slot=1)
    for number in (1, 2, 3):
        assert content(python.turn()) == {"n": number}
    python.start(
        COUNTER.replace('["n"]}', '["n"], "new": state["new"]}') + 'state.setdefault("new", [])', slot=2
    )
    swapped = python.cell.swap(2, 1)
    assert swapped.json["state"] == "carried"
    assert content(python.turn(slot=2)) == {"n": 4, "new": []}


def test_hooks_of_the_agents_own_are_used(python: Python) -> None:
    source = """
seen = set()
def handle(message):
    seen.add(message["content"])
    reply("inform", sorted(seen))
def snapshot():
    return sorted(seen)
def restore(saved):
    seen.update(saved)
"""
    python.start(source, slot=1)
    assert content(python.turn("b")) == ["b"]
    assert python.cell.ask(Kind.SNAPSHOT, 1).json == ["b"]
    python.start(source, slot=2)
    assert python.cell.swap(2, 1).json["state"] == "carried"
    assert content(python.turn("a", slot=2)) == ["a", "b"]


def test_a_state_that_is_too_long_leaves_the_instance_as_it_is(python: Python) -> None:
    """An index of 2 MB, as it may be built by one request."""
    source = """
from caxton_agent import reply, state
state.setdefault("index", {})
def handle(message):
    if not state["index"]:
        state["index"] = {f"word-{i}": "x" * 1000 for i in range(2000)}
    reply("inform", len(state["index"]))
"""
    python.start(source, fuel=10**11, wall_ms=60_000, memory_bytes=64 * MIB)
    assert content(python.turn()) == 2000
    refused = python.cell.ask(Kind.SNAPSHOT, 1)
    assert refused.status == Status.GUEST_ERROR
    assert (refused.json["code"], refused.json.get("lost")) == ("snapshot_bytes", None)
    assert "the limit is 1,048,576" in refused.json["reason"]
    assert refused.json["hint"] == "raise limits.snapshot_bytes"
    assert content(python.turn()) == 2000
    python.start(source, fuel=10**11, wall_ms=60_000, memory_bytes=64 * MIB, snapshot_bytes=4 * MIB)
    assert content(python.turn()) == 2000
    state = python.cell.ask(Kind.SNAPSHOT, 1)
    assert state.status == Status.OK
    assert len(state.body) > 2_000_000


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{1, 2}", "state['a'] is a set"),
        ("[(1, 2)]", "state['a'][0] is a tuple"),
        ("{1: 2}", "state['a'] has the key 1"),
        ("float('inf')", "state['a'] is inf"),
        ("print", "state['a'] is a builtin_function_or_method"),
    ],
)
def test_state_that_would_not_come_back_is_refused_by_name(python: Python, value: str, says: str) -> None:
    python.start(f"def handle(message):\n    state['a'] = {value}\n    reply('inform')\n", slot=1)
    python.start(COUNTER, slot=2)
    assert said(python.turn())
    swapped = python.cell.swap(2, 1)
    assert swapped.status == Status.GUEST_ERROR
    assert says in swapped.json["reason"]
    # the old one stays
    assert said(python.turn())


def test_a_state_of_another_shape_is_refused(python: Python) -> None:
    python.start("state = [1]\ndef handle(message): pass", slot=1)
    python.start(COUNTER, slot=2)
    swapped = python.cell.swap(2, 1)
    assert "the state is a list, it must be a dict" in swapped.json["reason"]


def test_agents_share_nothing(python: Python) -> None:
    python.start(
        "import json\njson.mine = 1\ndef handle(message): reply('inform', hasattr(json, 'mine'))", slot=1
    )
    python.start("import json\ndef handle(message): reply('inform', hasattr(json, 'mine'))", slot=2)
    assert content(python.turn(slot=1)) is True
    assert content(python.turn(slot=2)) is False


def test_a_name_that_is_called_main_does_not_run_the_tests_of_a_script(python: Python) -> None:
    python.start("def handle(message): reply('inform', __name__)\nif __name__ == '__main__': 1 / 0")
    assert content(python.turn()) == "agent"


def test_one_turn_that_spins_holds_nobody_up(python: Python) -> None:
    python.start("def handle(message):\n    while True: pass\n", slot=1, fuel=10**12, wall_ms=2_000)
    python.start(COUNTER, slot=2)
    message = json.dumps({"id": "m", "content": None}).encode()
    python.cell.turn(1, 1, message)
    python.cell.turn(2, 2, message)
    assert [python.cell.result().slot for _ in range(2)] == [2, 1]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("reply('inform', '\\ud800')", r"'\ud800' is half of a surrogate pair"),
        ("raise ValueError('\\udfff')", r"ValueError: \udfff"),
    ],
)
def test_half_of_a_surrogate_pair_is_the_agents_own_exception(python: Python, line: str, says: str) -> None:
    python.start(f"def handle(message):\n    if message['content']: return print('\\ud83d')\n    {line}\n")
    assert says in refused(python.turn())[0]
    assert [one["message"] for one in said(python.turn(1))] == [r"\ud83d"]


def test_a_state_with_half_of_a_surrogate_pair_is_refused(python: Python) -> None:
    python.start("def handle(message): state['a'] = '\\ud800'")
    assert said(python.turn()) == []
    kept = python.cell.ask(Kind.SNAPSHOT, 1)
    assert kept.status == Status.GUEST_ERROR
    assert r"state['a'] has '\\ud800'" in kept.json["reason"]
