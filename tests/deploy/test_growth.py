"""What a deployment leaves behind in the daemon: rows in the journal, and nothing in memory."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path
from types import CoroutineType

from agents.systems import COUNTER, COUNTER_2, ask, guest, home

from caxton.deploy import DeploymentRequest
from caxton.errors import CaxtonError

MANY = 30
REFUSED = (
    b"\0asm\2\0\0\0",  # at its head
    guest(init="unreachable"),  # by its instance
    guest(restore="unreachable"),  # in the swap
)


def ours() -> Counter[str]:
    """How many objects of each of our classes, and how many tasks, futures and coroutines, are alive."""
    kinds = [type(one) for one in gc.get_objects()]
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if str(kind.__module__).startswith(("caxton", "_asyncio")) or kind is CoroutineType
    )


async def test_a_deployment_leaves_no_object_behind(tmp_path: Path) -> None:
    async with home(tmp_path) as runtime:

        async def swap(many: int) -> None:
            for number in range(many):
                await runtime.engine.deploy(DeploymentRequest("c", (COUNTER_2, COUNTER)[number % 2]))
                await ask(runtime, "c", {"add": 1}, conversation_id="one")
                for refused in REFUSED:
                    try:
                        await runtime.engine.deploy(
                            DeploymentRequest("c", refused, wat=refused.startswith(b"("))
                        )
                    except CaxtonError:
                        # not by pytest.raises, which keeps what was raised
                        continue
                    raise AssertionError(refused)

        await runtime.engine.deploy(DeploymentRequest("c", COUNTER))
        await swap(4)
        gc.collect()
        before = ours()
        gc.disable()
        try:
            await swap(MANY)
            cycles = gc.collect()
        finally:
            gc.enable()
        more = ours() - before
        assert {kind: many for kind, many in more.items() if many > MANY // 4} == {}
        # a daemon collects rarely, so what only a collection can free stays for long
        assert cycles < MANY
