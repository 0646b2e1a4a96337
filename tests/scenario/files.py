"""Scenario files as tests write them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from caxton.scenario.read import ScenarioFile, read_scenario
from caxton.scenario.result import Result
from caxton.scenario.suite import Settings, play
from caxton.testing import runtime

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


def traded_market(folder: Path) -> Path:
    """A market in which the buyer was sent twice, as its daemon has left it: book, pen and market-1 to market-4."""
    market = Path(shutil.copytree(EXAMPLES / "market", folder / "market"))
    state = market / ".caxton"
    (state / "modules").mkdir(parents=True, mode=0o700)
    for path in market.glob("*.wasm"):
        module = path.read_bytes()
        (state / "modules" / f"{hashlib.sha256(module).hexdigest()}.wasm").write_bytes(module)
    with runtime(market, seed=3) as system:
        for item in ("book", "pen"):
            content = {"action": "buy", "item": item, "rounds": 2, "pause_ms": 500}
            system.send(content, to="buyer", protocol="fipa-request", conversation_id=item)
            system.until_quiet(2)
        (state / "journal.db").write_bytes(system.disk.image())
    return market


DEARER = (b"\x42\x0a\x7f", b"\x42\x03\x7f")
"""In the seller's code: it moves its price by a tenth, or by a third."""
