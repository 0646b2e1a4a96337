# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportUnusedExpression=false
"""A wrong step in an agent's life is an error of both type checkers; a right one is not.

Nothing runs this file: mypy and pyright read it. Each wrong step has a remark that both of them obey, and a remark that
one of them does not need is an error itself (mypy: warn_unused_ignores, pyright: the line above).
"""

from __future__ import annotations

from caxton.acl import Performative
from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded
from caxton.limits import Limits


def right(unloaded: Unloaded) -> Life:
    loaded: Loaded = unloaded.load("sha")
    running: Running = loaded.start(1, 2)
    running = running.swap("other", 3)
    running = running.suspend().swap("third", 4).resume()
    draining: Draining = running.drain()
    loaded = draining.drained()
    failed: Failed = loaded.start(1, 2).fail("why")
    failed = loaded.start(1, 2).drain().fail("why")
    return failed.reset().unload()


def look(life: Life) -> int:
    match life:
        case Running() | Suspended() | Draining():
            return life.slot
        case Unloaded() | Loaded() | Failed():
            return 0


Unloaded().start(1, 2)  # type: ignore[attr-defined]
Unloaded().drain()  # type: ignore[attr-defined]
Loaded("sha").drain()  # type: ignore[attr-defined]
Loaded("sha").load("sha")  # type: ignore[attr-defined]
Loaded("sha").slot  # type: ignore[attr-defined]
Loaded("sha").drained()  # type: ignore[attr-defined]
Running("sha", 1, 2).start(1, 2)  # type: ignore[attr-defined]
Running("sha", 1, 2).unload()  # type: ignore[attr-defined]
Running("sha", 1, 2).drained()  # type: ignore[attr-defined]
Draining("sha", 1, 2).swap("other", 3)  # type: ignore[attr-defined]
Draining("sha", 1, 2).drain()  # type: ignore[attr-defined]
Draining("sha", 1, 2).suspend()  # type: ignore[attr-defined]
Loaded("sha").suspend()  # type: ignore[attr-defined]
Suspended("sha", 1, 2).drain()  # type: ignore[attr-defined]
Running("sha", 1, 2).resume()  # type: ignore[attr-defined]
Failed("sha", "why").start(1, 2)  # type: ignore[attr-defined]
Failed("sha", "why").halt()  # type: ignore[attr-defined]
Running("sha", 1, 2).drain().start(1, 2)  # type: ignore[attr-defined]
Running("sha", "one", 2)  # type: ignore[arg-type]
Running("sha", 1, 2).slot = 3  # type: ignore[misc]
Limits(fuel="much")  # type: ignore[arg-type]
Limits(fule=1)  # type: ignore[call-arg]
Limits().fuel = 1  # type: ignore[misc]
act: Performative = "request"  # type: ignore[assignment]
