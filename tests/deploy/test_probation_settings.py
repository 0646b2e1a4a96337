"""How long a probation lasts, from caxton.toml and from whoever deploys."""

from __future__ import annotations

from pathlib import Path

from agents.systems import COUNTER, COUNTER_2, home

from caxton.deploy import DeploymentRequest, Probation


async def test_the_projects_probation_holds_unless_another_is_asked_for(tmp_path: Path) -> None:
    async with home(tmp_path, '[deploy]\nprobation_turns = 3\nprobation_s = "50ms"\n') as runtime:
        assert runtime.engine.options.probation == Probation(turns=3, warm_up_s=0.05)
        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        # nobody asks it anything: it is over after 50 ms, which is far from the usual 10 s
        made = await runtime.engine.deploy(DeploymentRequest("c", COUNTER_2, strategy="blue-green"))
        assert made.state == "running"
