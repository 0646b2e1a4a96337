"""Scenario files as tests write them."""

from __future__ import annotations

from pathlib import Path

from caxton.scenario.read import ScenarioFile, read_scenario
from caxton.scenario.result import Result
from caxton.scenario.suite import Settings, play

EXAMPLES = Path(__file__).resolve().parents[2] / "agents-examples"
COUNTER = f"""format = 1
[agents.counter]
wasm = "{EXAMPLES / "counter" / "counter.wasm"}"
"""


def written(folder: Path, steps: str, head: str = COUNTER) -> ScenarioFile:
    path = folder / "one.toml"
    path.write_text(f"{head}\n{steps}", "utf-8")
    return read_scenario(path)


def played(folder: Path, steps: str, head: str = COUNTER, seed: int = 0) -> Result:
    return play(written(folder, steps, head), Settings(seed=seed))


def step(**actions: str) -> str:
    """A step, each of its keys as TOML."""
    return "[[step]]\n" + "".join(f"{key} = {value}\n" for key, value in actions.items())


ADD = step(send='{ receiver = "counter", performative = "request", content = { add = 2 } }')
"""Answered by an inform, count = 2."""
