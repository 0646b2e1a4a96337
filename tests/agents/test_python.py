"""Agents in Python in a whole system: what they answer, what is logged, and what comes back after a crash."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from caxton.deploy import DeploymentOptions, DeploymentRequest, Probation
from caxton.errors import CaxtonError, DeploymentError, InvalidModule
from caxton.runtime import Runtime, deploy_configured
from caxton.sandbox.cache_labels import CacheLabel, written
from caxton.sandbox.compile.compiler import Compiler
from caxton.sandbox.frames import Kind, Meters
from caxton.sandbox.python.build import PythonRuntime
from caxton.sandbox.python.runtime import packed, runtime_name
from caxton.testing import runtime as virtual

from .systems import ask, commit, events, home, kill_cell, link_of, power_cut, reached

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

SOURCE = """
import random

def handle(message):
    if message["performative"] != "request":
        return
    add = message["content"]["add"]
    state["count"] = state.get("count", 0) + add
    state["drawn"] = state.get("drawn", []) + [random.random()]
    if state["count"] > 1000:
        print("too much")
        raise ValueError(f"{state['count']} is too much")
    reply("inform", {"count": state["count"], "drawn": len(state["drawn"]), "last": state["drawn"][-1]})
"""


def module(source: str = SOURCE) -> bytes:
    return packed(Path("agent.py"), source.encode())


async def add(runtime: Runtime, number: int) -> Any:
    answer = await ask(runtime, "c", {"add": number})
    assert answer["performative"] == "inform", answer
    return answer["content"]


async def test_an_exception_is_a_failure_and_its_traceback_is_logged(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        view = await runtime.engine.deploy(DeploymentRequest("c", module()))
        assert view.state == "running"
        assert (await add(runtime, 2))["count"] == 2
        meters = msgspec.json.decode((await link_of(runtime).request(Kind.METERS, 0)).payload, type=Meters)
        assert list(meters.slot_kib.values()) == [None], "nobody can see the memory of a component"
        runtime.cells.cells[0].meters = meters
        assert runtime.agents.view("c").memory_kib is None
        answer = await ask(runtime, "c", {"add": 2000})
        assert answer["performative"] == "failure"
        assert answer["content"]["reason"] == "agent.py:12: ValueError: 2002 is too much"
        logged = [one["message"] for one in await events(runtime, "log")]
        assert logged[0] == "too much"
        assert logged[1].startswith("Traceback (most recent call last):")
        assert 'File "agent.py", line 12, in handle' in logged[1]
        # the turn never was
        after = await add(runtime, 0)
        assert (after["count"], after["drawn"]) == (2, 2)
        assert runtime.agents.view("c").restarts == 0


@pytest.mark.parametrize("recover", ["replay", "snapshot"])
async def test_state_is_back_after_its_cell_was_killed(tmp_path: Path, recover: str) -> None:
    async with home(tmp_path, "[journal]\nsnapshot_every = 1\n") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", module(), recover=recover))
        for number in range(1, 8):
            assert (await add(runtime, 1))["count"] == number
        await reached(runtime, lambda: runtime.agents.view("c").snapshot_seq is not None)
        await commit(runtime)
        if recover == "snapshot":
            await reached(
                runtime,
                lambda: not runtime.agents.repair.snapshots.is_asked(runtime.agents.registry.find("c")),
            )
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        after = await add(runtime, 0)
        assert (after["count"], after["drawn"]) == (7, 8)


async def test_state_is_back_after_a_power_cut_by_running_the_turns_once_more(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    (tmp_path / "then").mkdir()
    async with home(tmp_path / "now", "[journal]\nsnapshot_every = 0\n") as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", module()))
        for number in range(1, 21):
            assert (await add(runtime, 1))["count"] == number
        last = (await add(runtime, 0))["last"]
        await power_cut(runtime, tmp_path / "then")
    async with home(tmp_path / "then", "[journal]\nsnapshot_every = 0\n") as runtime:
        record = runtime.agents.registry.find("c")
        snapshot = await link_of(runtime).request(Kind.SNAPSHOT, record.endpoint.slot)
        state = json.loads(snapshot.payload)
        assert (state["count"], len(state["drawn"]), state["drawn"][-1]) == (20, 21, last)


@pytest.mark.parametrize("strategy", ["direct", "blue-green"])
async def test_a_new_source_goes_on_with_the_state(tmp_path: Path, strategy: str) -> None:
    async with home(tmp_path) as runtime:
        first = await runtime.engine.deploy(DeploymentRequest("c", module()))
        assert (await add(runtime, 5))["count"] == 5
        again = await runtime.engine.deploy(DeploymentRequest("c", module()))
        assert again.unchanged
        edited = SOURCE.replace('{"count": state["count"]', '{"edited": True, "count": state["count"]')
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                runtime.engine.deploy(
                    DeploymentRequest(
                        "c",
                        module(edited),
                        strategy=strategy,
                        options=DeploymentOptions(probation=Probation(turns=1)),
                    )
                )
            )
            while not task.done():
                await add(runtime, 0)
        view = task.result()
        assert (view.state, view.memory) == ("running", "carried")
        assert view.revision != first.revision
        after = await add(runtime, 1)
        assert (after["count"], after["edited"]) == (6, True)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def handle(message):\n    return (\n", "agent.py:2:12: SyntaxError: '(' was never closed"),
        ("import numpy\n", "agent.py:1: ModuleNotFoundError: No module named 'numpy'"),
    ],
)
async def test_a_source_that_does_not_begin_leaves_the_old_one(
    tmp_path: Path, source: str, says: str
) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", module()))
        assert (await add(runtime, 5))["count"] == 5
        with pytest.raises(DeploymentError) as refused:
            await runtime.engine.deploy(DeploymentRequest("c", module(source)))
        assert says in refused.value.message
        assert (await add(runtime, 0))["count"] == 5


async def test_a_source_may_stand_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(SOURCE)
    async with home(tmp_path, '[agents.c]\nwasm = "agent.py"\nsettings = { a = 1 }\n') as runtime:
        await deploy_configured(runtime)
        assert (await add(runtime, 3))["count"] == 3
        revision = runtime.agents.view("c").revision
        await deploy_configured(runtime)
        assert runtime.agents.view("c").revision == revision


async def test_a_machine_without_the_runtime_says_how_to_get_it(tmp_path: Path) -> None:
    elsewhere = PythonRuntime(tmp_path / "empty")
    compiler = Compiler(tmp_path / "modules", runtime=elsewhere.compiled)
    try:
        with pytest.raises(InvalidModule, match="not built on this machine yet") as refused:
            await compiler.compile(module())
        assert refused.value.hint == "caxton python build"
    finally:
        await compiler.close()


async def test_a_runtime_that_was_tampered_with_is_not_run(
    tmp_path: Path, python_runtime: PythonRuntime
) -> None:
    name = runtime_name()
    ours = PythonRuntime(tmp_path / "runtimes")
    ours.place.cache.mkdir(parents=True, mode=0o700)
    false = ours.place.cache / "false.cwasm"
    false.write_bytes(b"\x7fELF native code of somebody else")
    ours.place.label(name).write_bytes(written(CacheLabel(component=str(false))))
    with pytest.raises(CaxtonError, match="not built on this machine"):
        await ours.compiled(name)
    assert not false.exists()


LIVES = """
import random

def started(why, message):
    state.setdefault("told", []).append(why)
    if why == "born":
        state["drawn"] = random.random()
        send("request", "df", {"action": "register", "description": {"name": name}})

def ending(why):
    send("inform", "operator.heir", state["told"] + [why])

def handle(message):
    if message["performative"] == "request":
        reply("inform", state)
"""


async def test_an_agent_in_python_begins_by_itself(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await runtime.engine.deploy(DeploymentRequest("c", module(LIVES)))
        born = (await ask(runtime, "c"))["content"]
        assert born["told"] == ["born"]
        assert [entry.name for entry in runtime.df.entries()] == ["c@local"]
        kill_cell(runtime)
        await reached(runtime, lambda: runtime.agents.view("c").restarts == 1)
        assert (await ask(runtime, "c"))["content"] == {**born, "told": ["born", "recovered"]}
        await runtime.agents.stop("c")
        await commit(runtime)
        rows = await runtime.journal.reader.messages(limit=1000)
        left = [json.loads(row.body) for row in rows if b"operator.heir" in row.body]
        assert [one["content"] for one in left] == [["born", "recovered", "stopped"]]
        await runtime.engine.deploy(DeploymentRequest("d", module()))
        assert "life" not in runtime.agents.view("d").hooks


def test_modules_of_its_own_go_with_an_agent(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "from .prices import best\nimport random\ndrawn = random.random\n",
        "shop/prices.py": "from caxton_agent import reply\n\ndef best(of):\n    return min(of['prices'])\n",
        "plain/tool.py": "import queue\ndef name(): return __name__, __file__\n",
        "queue.py": "1 / 0  # the library's own is the one\n",
        "agent.py": "import shop\nfrom plain import tool\n\ndef handle(message):\n"
        "    reply('inform', [shop.best(message['content']), shop.drawn(), tool.name()])\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    made = packed(tmp_path / "agent.py", files["agent.py"].encode())
    drawn: list[Any] = []
    for _ in range(2):
        with virtual({"c": made}, seed=3) as system:
            best, number, tool = system.ask({"prices": [3, 2, 5]}, to="c")["content"]
            assert (best, tool) == (2, ["plain.tool", "plain/tool.py"])
            drawn.append(number)
            assert system.ask({"prices": [3, 2, 5]}, to="c")["content"][1] != number
            failed = system.ask({}, to="c")
            assert failed["content"]["reason"] == "shop/prices.py:4: KeyError: 'prices'"
    assert drawn[0] == drawn[1], "a module's randomness follows from the message, too"
    # one that is no Python is named
    (tmp_path / "shop" / "prices.py").write_text("def best(:\n")
    with (
        pytest.raises(DeploymentError, match=r"shop/prices.py:1:10: SyntaxError"),
        virtual({"c": packed(tmp_path / "agent.py", files["agent.py"].encode())}),
    ):
        pass


async def test_a_seed_makes_two_fresh_runs_equal(tmp_path: Path) -> None:
    """With the same messages in the same order, also over a start; no id comes twice."""

    async def run(folder: Path, seed: int) -> list[Any]:
        folder.mkdir()
        said: list[Any] = []
        for _ in range(2):
            async with home(folder, f"seed = {seed}\n") as runtime:
                if not said:
                    await runtime.engine.deploy(DeploymentRequest("c", module()))
                for number in (1, 2):
                    answer = await ask(runtime, "c", {"add": number})
                    said.append([answer[key] for key in ("id", "conversation_id", "trace_id", "content")])
        return said

    first = await run(tmp_path / "a", 7)
    assert await run(tmp_path / "b", 7) == first
    for place in range(3):
        assert len({str(one[place]) for one in first}) == len(first)
    other = await run(tmp_path / "c", 8)
    assert [one[3]["last"] for one in other] != [one[3]["last"] for one in first]
