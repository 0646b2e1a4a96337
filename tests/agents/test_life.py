"""An agent's life as a machine: every walk through it keeps what it must keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded, state_name

STEPS: dict[type, dict[str, tuple[Callable[[str, int], tuple[object, ...]], type]]] = {
    Unloaded: {"load": (lambda text, n: (text,), Loaded), "fail": (lambda text, n: (text,), Failed)},
    Loaded: {
        "start": (lambda text, n: (n, n + 1), Running),
        "unload": (lambda text, n: (), Unloaded),
        "fail": (lambda text, n: (text,), Failed),
    },
    Running: {
        "swap": (lambda text, n: (text, n), Running),
        "suspend": (lambda text, n: (), Suspended),
        "drain": (lambda text, n: (), Draining),
        "halt": (lambda text, n: (), Loaded),
        "fail": (lambda text, n: (text,), Failed),
    },
    Suspended: {
        "swap": (lambda text, n: (text, n), Suspended),
        "resume": (lambda text, n: (), Running),
        "halt": (lambda text, n: (), Loaded),
        "fail": (lambda text, n: (text,), Failed),
    },
    Draining: {"drained": (lambda text, n: (), Loaded), "fail": (lambda text, n: (text,), Failed)},
    Failed: {"reset": (lambda text, n: (), Loaded)},
}
"""What each state allows, with what, and where it leads."""


def allowed(state: type) -> set[str]:
    return {name for name in vars(state) if not name.startswith("_") and callable(getattr(state, name))}


def test_each_state_allows_these_steps_and_no_others() -> None:
    assert {state: allowed(state) for state in STEPS} == {state: set(steps) for state, steps in STEPS.items()}


@given(walk=st.lists(st.tuples(st.integers(0, 10), st.text(max_size=8), st.integers(1, 99)), max_size=40))
def test_any_walk_leads_where_it_says_and_keeps_the_revision(walk: list[tuple[int, str, int]]) -> None:
    life: Life = Unloaded()
    for choice, text, number in walk:
        steps = STEPS[type(life)]
        name = sorted(steps)[choice % len(steps)]
        arguments, leads_to = steps[name]
        before = dataclasses.asdict(life)
        after: Life = getattr(life, name)(*arguments(text, number))
        assert type(after) is leads_to
        assert dataclasses.asdict(life) == before, "a step changes nothing, it only says what is next"
        assert state_name(after) == leads_to.__name__.lower()
        now = dataclasses.asdict(after)
        if name in ("load", "swap"):
            assert now["revision"] == text
        elif "revision" in before and "revision" in now:
            assert now["revision"] == before["revision"]
        if "cell" in before and "cell" in now:
            assert now["cell"] == before["cell"], "an instance never moves to another cell"
        if name == "fail":
            assert now["reason"] == text
        life = after
