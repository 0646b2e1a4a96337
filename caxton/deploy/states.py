"""A deployment as a pure machine: the architecture document's states, and what each step asks to be done.

    Validating ──Checked──▶ Deploying ──ChangedOver──────────────────▶ Draining ──Drained──▶ Running
        │ │                   │  └─────ChangedOver──▶ on probation ──Passed──▶ ┘
        │ └──Unchanged──▶ Running                        └──ProbationFailed──▶ RolledBack
        └────Refused────▶ Failed ◀── Refused ──┘

In: a state and what happened. Out: the next state and the effects that the engine performs, in order. A step that a
state does not allow raises WrongStep. Nothing here does anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from caxton.schemas.deployments import DAEMON_STOPPED

ABORTED: Final = "the operator took it back"


class WrongStep(RuntimeError):
    """Raised when something happens to a deployment that cannot happen in its state."""


@dataclass(frozen=True, slots=True)
class Validating:
    """The new revision is compiled, loaded and tried; the old one works on."""


@dataclass(frozen=True, slots=True)
class Deploying:
    """The agent changes over; `on_probation` when the new revision works and the old one stands by."""

    on_probation: bool = False


@dataclass(frozen=True, slots=True)
class Draining:
    """The agent is the new revision for good; the old one is shut down."""


@dataclass(frozen=True, slots=True)
class Running:
    """The agent runs the new revision, and nothing is left of the old one."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The new revision never worked; the agent is as it was."""

    error: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The new revision worked, and not well enough; the old one is back."""

    reason: str


State = Validating | Deploying | Draining | Running | Failed | RolledBack

_NAMES: Final[dict[type[State], str]] = {
    Validating: "validating",
    Deploying: "deploying",
    Draining: "draining",
    Running: "running",
    Failed: "failed",
    RolledBack: "rolled_back",
}


def state_name(state: State) -> str:
    """The state's name as the journal and the API write it."""
    return _NAMES[type(state)]


def reason_of(state: State) -> str | None:
    """Why it ended as it did, where it did not end well."""
    match state:
        case Failed():
            return state.error
        case RolledBack():
            return state.reason
        case _:
            return None


def stored(name: str) -> State | None:
    """The state of a deployment that was under way when its row was written; None for one that had ended."""
    match name:
        case "validating":
            return Validating()
        case "deploying":
            return Deploying(on_probation=True)
        case "draining":
            return Draining()
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Checked:
    """The new revision came up, and took the state where it is to be carried."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The agent runs exactly this already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The new revision could not be brought up, or could not take over."""

    error: str


@dataclass(frozen=True, slots=True)
class ChangedOver:
    """The next message goes to the new revision."""

    on_probation: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """The probation is over and nothing went wrong."""


@dataclass(frozen=True, slots=True)
class ProbationFailed:
    """In its probation the new revision failed, or what it lives in did."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drained:
    """The old revision is gone."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The daemon ended and is there again; `new` when the agent had no revision before this one."""

    new: bool = False


Happening = Checked | Unchanged | Refused | ChangedOver | Passed | ProbationFailed | Drained | Interrupted


class Effect(StrEnum):
    """What the engine has to do."""

    SAVE = "save"
    """Write the deployment down as it stands now; on disk with what the next effect writes, or before it waits."""
    TELL = "tell"
    """Tell the viewers."""
    CHANGE_OVER = "change_over"
    WATCH = "watch"
    COMMIT = "commit"
    """Make the new revision the agent's own, so that it is the one that comes back."""
    BRING_BACK = "bring_back"
    DROP_NEW = "drop_new"
    RETIRE_OLD = "retire_old"


def step(state: State, happening: Happening) -> tuple[State, tuple[Effect, ...]]:
    """The next state and what is to be done, in order; WrongStep where that cannot happen now."""
    match state, happening:
        case Validating(), Checked():
            return Deploying(), (Effect.SAVE, Effect.CHANGE_OVER)
        case Validating(), Unchanged():
            return Running(), (Effect.SAVE, Effect.TELL)
        case ((Validating() | Deploying(on_probation=False)), Refused()):
            return Failed(happening.error), (Effect.DROP_NEW, Effect.SAVE, Effect.TELL)
        case Deploying(on_probation=False), ChangedOver(on_probation=False):
            return Draining(), (Effect.SAVE, Effect.COMMIT, Effect.RETIRE_OLD)
        case Deploying(on_probation=False), ChangedOver(on_probation=True):
            return Deploying(on_probation=True), (Effect.SAVE, Effect.TELL, Effect.WATCH)
        case Deploying(on_probation=True), Passed():
            return Draining(), (Effect.SAVE, Effect.COMMIT, Effect.RETIRE_OLD)
        case Deploying(on_probation=True), ProbationFailed():
            return RolledBack(happening.reason), (
                Effect.BRING_BACK,
                Effect.DROP_NEW,
                Effect.SAVE,
                Effect.TELL,
            )
        case Draining(), Drained():
            return Running(), (Effect.SAVE, Effect.TELL)
        case Validating(), Interrupted():
            return Failed(DAEMON_STOPPED), (Effect.SAVE,)
        case Deploying(), Interrupted():
            ended = Failed(DAEMON_STOPPED) if happening.new else RolledBack(DAEMON_STOPPED)
            return ended, (Effect.SAVE,)
        case Draining(), Interrupted():
            return Running(), (Effect.SAVE,)
        case _:
            raise WrongStep(
                f"{type(happening).__name__} cannot happen to a deployment that is {state_name(state)}"
            )
