"""The pure machine: whatever happens, in whatever order, it ends well or badly but never half way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.deploy.states import (
    ChangedOver,
    Checked,
    Deploying,
    Drained,
    Draining,
    Effect,
    Failed,
    Happening,
    Interrupted,
    Passed,
    ProbationFailed,
    Refused,
    RolledBack,
    Running,
    State,
    Unchanged,
    Validating,
    WrongStep,
    reason_of,
    state_name,
    step,
    stored,
)
from caxton.schemas.deployments import DAEMON_STOPPED

FINAL = (Running, Failed, RolledBack)
text = st.text(min_size=1, max_size=20)
happenings: st.SearchStrategy[Happening] = st.one_of(
    st.sampled_from([Checked(), Unchanged(), Passed(), Drained()]),
    st.builds(Refused, text),
    st.builds(ProbationFailed, text),
    st.builds(ChangedOver, on_probation=st.booleans()),
    st.builds(Interrupted, new=st.booleans()),
)


@given(st.lists(happenings, max_size=12))
def test_every_way_through_is_sound(way: list[Happening]) -> None:
    state: State = Validating()
    done: list[Effect] = []
    for happening in way:
        try:
            after, effects = step(state, happening)
        except WrongStep:
            continue
        assert not isinstance(state, FINAL), "what has ended stays as it ended"
        assert Effect.SAVE in effects, "every step is written down"
        state = after
        done += effects
        if isinstance(happening, Interrupted):
            break
    assert done.count(Effect.COMMIT) <= 1
    if Effect.COMMIT in done:
        assert isinstance(state, Draining | Running), "what was committed is not taken back"
        assert done.index(Effect.CHANGE_OVER) < done.index(Effect.COMMIT)
    if Effect.BRING_BACK in done:
        assert isinstance(state, RolledBack)
        assert done.index(Effect.WATCH) < done.index(Effect.BRING_BACK) < done.index(Effect.DROP_NEW)
    if Effect.RETIRE_OLD in done:
        assert done.index(Effect.COMMIT) < done.index(Effect.RETIRE_OLD)
    assert (reason_of(state) is not None) == isinstance(state, Failed | RolledBack)


@pytest.mark.parametrize("state", [Validating(), Deploying(), Deploying(on_probation=True), Draining()])
@pytest.mark.parametrize("new", [True, False])
def test_what_the_daemons_end_interrupts_ends_at_the_next_start(state: State, new: bool) -> None:
    found = stored(state_name(state))
    assert found is not None
    last, effects = step(found, Interrupted(new=new))
    assert effects == (Effect.SAVE,)
    assert isinstance(last, FINAL)
    assert reason_of(last) == (None if isinstance(state, Draining) else DAEMON_STOPPED)
    assert isinstance(last, RolledBack) == (isinstance(state, Deploying) and not new)


@pytest.mark.parametrize("state", [Running(), Failed("x"), RolledBack("x")])
def test_what_has_ended_is_not_taken_up_again(state: State) -> None:
    assert stored(state_name(state)) is None
    for happening in (Checked(), Passed(), ProbationFailed("x"), Interrupted()):
        with pytest.raises(WrongStep, match=state_name(state)):
            step(state, happening)


def test_the_ways_that_there_are() -> None:
    ways: list[tuple[list[Happening], list[str]]] = [
        ([Unchanged()], ["running"]),
        ([Refused("no")], ["failed"]),
        ([Checked(), Refused("no")], ["deploying", "failed"]),
        ([Checked(), ChangedOver(), Drained()], ["deploying", "draining", "running"]),
        (
            [Checked(), ChangedOver(on_probation=True), Passed(), Drained()],
            ["deploying", "deploying", "draining", "running"],
        ),
        (
            [Checked(), ChangedOver(on_probation=True), ProbationFailed("no")],
            ["deploying", "deploying", "rolled_back"],
        ),
    ]
    for way, names in ways:
        state: State = Validating()
        for happening, name in zip(way, names, strict=True):
            state, _ = step(state, happening)
            assert state_name(state) == name
