"""Four checks before any traffic: static, sandbox, contract, resources; the one that failed is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from agents.systems import COUNTER, COUNTER_2, commit, events, guest, home, instances

from caxton.deploy import DeploymentOptions, DeploymentRequest
from caxton.errors import CaxtonError, DeploymentError
from caxton.limits import Limits
from deploy.dual_runs import REFUSES, SAYS_NONSENSE, SPIN, counter, said, talk, up

BAD: dict[str, tuple[bytes, str, str]] = {
    "no exports": (b'(module (memory (export "memory") 1))', "static", "caxton_abi"),
    "init traps": (guest(init="unreachable"), "sandbox", "unreachable"),
    "init refuses": (guest(init="(return (i32.const -3))"), "sandbox", "-3"),
    "it traps": (counter(first="(unreachable)"), "contract", "unreachable"),
    "it says nonsense": (counter(then=SAYS_NONSENSE), "contract", "JSON"),
    "it says less than it says": (
        guest(handle="(i32.store (i32.const 40) (i32.const 0)) (return (i32.const 1))"),
        "contract",
        "count",
    ),
    "it needs too much": (counter(first=SPIN), "resources", "fuel"),
}


@pytest.mark.parametrize("strategy", ["direct", "canary"])
@pytest.mark.parametrize("bad", BAD)
async def test_the_step_that_failed_is_named_and_the_old_revision_goes_on(
    tmp_path: Path, bad: str, strategy: str
) -> None:
    wasm, step, word = BAD[bad]
    async with home(tmp_path) as runtime:
        first = await up(runtime, counter())
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 1)]
        with pytest.raises(CaxtonError) as caught:
            await up(runtime, wasm, strategy=strategy, limits=Limits(fuel=100_000))
        await commit(runtime)
        row = (await runtime.journal.reader.deployments())[0]
        assert (row.state, row.strategy) == ("failed", strategy)
        assert (row.reason or "").startswith(f"the {step} check failed: ")
        assert word in (row.reason or "")
        if step != "static":
            assert isinstance(caught.value, DeploymentError)
            assert caught.value.details["step"] == step
        checks: list[dict[str, Any]] = json.loads(row.detail)["validation"]
        assert [one["step"] for one in checks if not one["passed"]] == [step]
        assert checks[-1]["step"] == step
        view = runtime.agents.view("c")
        assert (view.state, view.revision, view.limits) == ("running", first.revision, Limits())
        assert await said(runtime, [talk(runtime, "t")]) == [("one", 2)]
        assert await instances(runtime) == 1


async def test_a_new_agent_is_checked_too(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        with pytest.raises(DeploymentError, match="the contract check failed"):
            await up(runtime, counter(first="(unreachable)"))
        assert runtime.agents.views() == []
        assert await instances(runtime) == 0
        made = await up(runtime, counter())
        assert [(one.step, one.passed) for one in made.validation] == [
            ("static", True),
            ("sandbox", True),
            ("contract", True),
            ("resources", True),
        ]
        assert "fuel" in made.validation[-1].detail


async def test_the_probe_leaves_no_trace(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        await up(runtime, counter())
        before = (runtime.bus.counts.messages, runtime.bus.counts.turns, runtime.bus.last_seq)
        await up(runtime, counter("two"))
        assert before[:2] == (runtime.bus.counts.messages, runtime.bus.counts.turns)
        # the probe would have made it two
        assert await said(runtime, [talk(runtime, "t")]) == [("two", 1)]
        assert await events(runtime, "dead_letter") == []


async def test_an_agent_that_refuses_what_it_does_not_know_is_fine(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        made = await up(runtime, counter(first=REFUSES))
        assert made.validation[2].detail.endswith("it refused the probe")


async def test_the_probe_can_be_left_out(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        made = await up(runtime, counter(first="(unreachable)"), options=DeploymentOptions(probe=False))
        assert made.state == "running"
        assert [one.step for one in made.validation] == ["static", "sandbox", "contract"]
    (tmp_path / "2").mkdir()
    async with home(tmp_path / "2", "[deploy]\nprobe = false\n") as runtime:
        assert (await up(runtime, counter(first="(unreachable)"))).state == "running"


async def test_a_plan_says_what_would_change_and_does_nothing(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:
        plan = await runtime.engine.plan(DeploymentRequest("c", COUNTER, settings={"a": 1}))
        assert (plan.new, plan.state, plan.previous, plan.unchanged) == (True, None, None, False)
        first = await runtime.engine.deploy(DeploymentRequest("c", COUNTER, settings={"a": 1}))
        assert (await runtime.engine.plan(DeploymentRequest("c", COUNTER))).unchanged
        before = runtime.bus.last_seq
        plan = await runtime.engine.plan(
            DeploymentRequest("c", COUNTER_2, settings={"b": 2}, limits=Limits(fuel=5_000), strategy="canary")
        )
        assert [(one.what, one.before, one.after) for one in plan.changes] == [
            ("revision", first.revision, plan.revision),
            ("limits.fuel", 100_000_000, 5_000),
            ("settings.a", 1, None),
            ("settings.b", None, 2),
        ]
        assert (plan.strategy, plan.options["stages"][0]) == (
            "canary",
            {"percent": 5.0, "for_s": 300.0},
        )
        assert runtime.bus.last_seq == before
        view = runtime.agents.view("c")
        assert (view.revision, view.settings) == (first.revision, {"a": 1})
        assert len(await runtime.journal.reader.deployments()) == 1
