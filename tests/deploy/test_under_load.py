"""Two live revisions under a client that never stops, with everything that can go wrong drawn by lot."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from agents.systems import home, instances, kill_cell, letters

from caxton.deploy import Condition, DeploymentOptions, DeploymentRequest, DeploymentView, Probation, Stage
from caxton.deploy.options import with_changes
from caxton.errors import CaxtonError
from caxton.limits import Limits
from caxton.runtime import Runtime
from deploy.dual_runs import counter, every, said, talk, up

QUICK = DeploymentOptions(
    stages=(Stage(30, 0.1), Stage(70, 0.1)),
    shadow_s=0.2,
    drain_s=0.2,
    quiet_s=0.05,
    probation=Probation(turns=3, warm_up_s=0.1),
)
WATCHED = DeploymentOptions(
    stages=(Stage(50, 600),),
    rollback_on=(Condition("error_rate", 0.0, False, "error_rate>0%"),),
    min_turns=1,
    shadow_s=600,
    probation=Probation(turns=1000, warm_up_s=600),
)


@pytest.mark.parametrize("seed", range(4))
async def test_no_message_is_lost_or_answered_twice_and_none_overtakes(tmp_path: Path, seed: int) -> None:
    lot = random.Random(seed)
    asked: list[int] = []
    async with home(tmp_path, f"[journal]\nsnapshot_every = {lot.choice([0, 5, 100])}") as runtime:
        await up(runtime, counter(), limits=Limits(mailbox=100_000))
        record = runtime.agents.registry.find("c")
        for number in range(8):
            bad = lot.random() < 0.5
            strategy = lot.choice(["canary", "canary", "shadow", "blue-green"])
            wasm = counter(f"{number:03d}", first=every(lot.choice([3, 17]), "(unreachable)") if bad else "")
            options = with_changes(
                WATCHED if bad else QUICK, drain=strategy == "blue-green" and lot.random() < 0.8
            )
            change: asyncio.Future[DeploymentView] = asyncio.ensure_future(
                runtime.engine.deploy(
                    DeploymentRequest("c", wasm, wat=True, strategy=strategy, options=options)
                )
            )
            wish = lot.choice(["abort", "kill", None] if bad else ["promote", "abort", "kill", None])
            rounds = 0
            while not change.done():
                asked += [talk(runtime, f"t-{lot.randrange(50)}") for _ in range(lot.randrange(12))]
                rounds += 1
                if wish is not None and rounds > 5 and record.deployment is not None:
                    await _do(runtime, wish, record.deployment)
                    wish = None
                if rounds % 10:
                    await asyncio.sleep(0)
                else:
                    await runtime.bus.endpoints["c@local"].empty()
            state = (await change).state
            assert state == "rolled_back" if bad else state in ("running", "rolled_back")
            asked += [talk(runtime, f"t-{lot.randrange(50)}") for _ in range(20)]
            await runtime.bus.endpoints["c@local"].empty()
        answers = await said(runtime, asked)
        assert [count for _, count in answers] == list(range(1, len(asked) + 1)), "one counter, whoever spoke"
        assert await letters(runtime) == []
        assert await instances(runtime) == 1
        assert runtime.agents.view("c").state == "running"


async def _do(runtime: Runtime, wish: str, id: str) -> None:
    """What somebody or something does in the middle."""
    try:
        match wish:
            case "promote":
                await runtime.engine.promote(id)
            case "abort":
                await runtime.engine.abort(id)
            case _:
                kill_cell(runtime)
    except CaxtonError:
        pass  # it was over already
