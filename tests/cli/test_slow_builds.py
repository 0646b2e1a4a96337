"""A build that takes long is no silence."""

from __future__ import annotations

import asyncio

from caxton.cli.output.dev_lines import Lines
from caxton.cli.output.slow_builds import SlowBuilds
from caxton.devloop.events import BuildFailed, BuildStarted, Built, Diagnostic, Ended, Preparing
from caxton.sandbox.python.progress import COMPILE, Estimate


def started(agent: str) -> BuildStarted:
    return BuildStarted(agents=[agent], builder="zig", source=f"{agent}.zig")


async def test_builds_that_go_on_are_told_of_until_they_have_ended() -> None:
    lines, told, both = Lines(colour=False), list[str](), asyncio.Event()

    def tell(event: BuildStarted, seconds: int) -> None:
        told.append(lines.goes_on(event, seconds))
        if len(told) == 2:
            both.set()

    slow = SlowBuilds(tell, after_s=(0, 0, 3600))
    for agent in ("quick", "broken", "slow", "slow"):
        slow.hear(started(agent))
    slow.hear(Built(agents=["quick"], revision="", size=0, build_ms=1.0, output=""))
    wrong = Diagnostic("wrong")
    slow.hear(BuildFailed(agents=["broken"], error=wrong, output="", hint=None, build_ms=1.0, keeps={}))
    async with asyncio.timeout(5):
        await both.wait()
    assert [line[10:].strip() for line in told] == ["slow  building slow.zig (zig), 0 s so far"] * 2
    slow.hear(started("slow"))
    slow.hear(Ended())
    await asyncio.sleep(0)
    assert len(told) == 2


def test_how_long_the_first_build_takes_is_read_in_80_columns() -> None:
    estimate = Estimate(lambda: 0.0)
    estimate.begin(COMPILE)
    now = estimate.progress()
    first = Preparing(
        agents=["first-agent"], what=f"{now.title}, {now.left}", begins=True, part=0.1, left_s=65.0
    )
    lines = Lines(colour=False)
    # the strip of the terminal interface has a cell less on either side
    assert len(lines.prepares(first)) <= 78
    assert lines.of(first) == [lines.prepares(first)]
