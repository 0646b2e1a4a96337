"""One agent as the daemon keeps it in memory, with the steps by which it changes.

In: what the supervisor and the change engine decide. Out: a record in which life, mailbox and cell agree. No step does
anything outside the record and its mailbox: it writes nothing down and sends nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from caxton.agents.life import Draining, Failed, Life, Loaded, Running, Suspended, Unloaded, state_name
from caxton.bus import Endpoint
from caxton.cells import Cell, CellLink
from caxton.errors import InvalidState
from caxton.limits import Limits
from caxton.sandbox.abi import PUT_BACK

RUNNING, SUSPENDED, STOPPED = "running", "suspended", "stopped"
"""What an agent's operator wants it to be."""
RECOVERING = "recovering"
"""What people see of an agent that is loaded and whose memory comes back."""
UNBUILT = "unbuilt"
"""What people see of an agent whose first module is still to be built."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent was made by another one, or by a client."""

    maker: str
    """Its full name."""
    asked: int
    """The message that asked for it."""
    linked: bool = False
    """Whether it ends with its maker."""
    may: tuple[str, ...] = ()
    """Its rights, some of its maker's."""
    on_failure: str = "restart"
    restarts: int = 5
    within_s: int = 30


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent was told when it was deployed; kept with it."""

    limits: Limits = Limits()
    settings: dict[str, Any] = {}
    profile: str = "standard"
    recover: str = "replay"
    """How its memory comes back: by "replay" of what it did, from the last "snapshot", or "fresh"."""
    desired: str = RUNNING
    made: Made | None = None
    """Who made it; None where an operator did."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One build: a number in the journal, the sha256 of its wasm, the profile it was compiled for."""

    no: int
    sha256: str
    profile: str
    path: str


class KeptOut(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at an agent's `wasm` and was not taken in when the daemon started, because of what was decided
    before."""

    revision: str
    why: str
    """How it was refused (`waited`, `dropped`, `aborted`, `faltered`, `shadow`, `rolled_back`), or `replaced`: the
    file says what it said before, and something else was deployed since."""
    reason: str
    deployment: str | None
    """The one that decided it."""


class RecoveryProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an agent's memory has come back."""

    turns: int = 0
    """Turns that were run once more."""
    percent: int = 0
    """Of its turns since the moment that it began from; 0 while nobody knows how many they are."""
    left_s: float | None = None
    """How long it may still take, as it went until now; None where nobody can know yet."""


@dataclass(frozen=True, slots=True)
class Build:
    """What an agent is: a revision, told that, by that deployment."""

    revision: Revision | None
    config: AgentConfig
    brought_by: str


@dataclass(slots=True, eq=False)
class AgentRecord:
    """An agent in memory. The supervisor and the change engine take its steps, nobody else."""

    number: int
    name: str
    endpoint: Endpoint
    config: AgentConfig
    created_us: int
    updated_us: int
    life: Life = field(default_factory=Unloaded)
    revision: Revision | None = None
    cell: Cell | None = None
    hooks: tuple[str, ...] = ()
    restarts: int = 0
    retry_us: int | None = None
    """When it is started again by itself, where it has failed."""
    snapshot_seq: int | None = None
    """The message after whose turn its state was kept last, where one was since its memory began."""
    snapshot_error: str | None = None
    """Why its state could not be kept the last time; None where it could."""
    snapshot_failures: int = 0
    """How often that was so, one after the other."""
    unbuilt: bool = False
    """Whether its first module is still to be built, where it has none."""
    busy: bool = False
    """Whether a deployment, a stop or a restart is under way."""
    brought_by: str = ""
    """The deployment that brought the revision that it is."""
    deployment: str | None = None
    """The id of the deployment in which two revisions of it live."""
    kept_out: KeptOut | None = None
    """The build at its `wasm` that was not taken in at the start; None once something else was deployed."""
    heir_no: int | None = None
    """The revision that is the agent after a restart, while this one still ends its conversations."""
    recovery: RecoveryProgress | None = None
    """How far it is, while its instance is made and its memory comes back."""
    returned: asyncio.Event | None = None
    """Set when that is over, however it went."""
    life_seq: int = 0
    """The message by which it was told of its life last."""
    life_failed: bool = False
    """Whether the turn on it cost the instance."""
    mending: asyncio.Future[None] | None = None
    """There from the moment its instance is lost until it is started again, or given up."""
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while its instance gives way to another, so that a repair and a change do not meet."""

    @property
    def is_hosted(self) -> bool:
        """Whether it has an instance that handles messages, or may do so again."""
        return isinstance(self.life, Running | Suspended)

    def is_in(self, slot: int) -> bool:
        """Whether its instance is the one in that slot of its cell."""
        return isinstance(self.life, Running | Suspended | Draining) and self.life.slot == slot

    @property
    def state(self) -> str:
        """What it is now, in a word, for people."""
        if self.recovery is not None and isinstance(self.life, Loaded):
            return RECOVERING
        if self.unbuilt and isinstance(self.life, Unloaded):
            return UNBUILT
        return state_name(self.life)

    # ------------------------------------------------------------------ who changes it

    def claim(self, to_be: str) -> None:
        """Keep everybody else from changing it until `release`; InvalidState where somebody does already."""
        if self.busy:
            under_way = self.deployment
            raise InvalidState(
                f"{self.name} cannot be {to_be} now: {under_way or 'something else'} is changing it",
                hint=f"caxton deploy promote {under_way}, or abort" if under_way else "try again in a moment",
            )
        self.busy = True

    def release(self) -> None:
        """Let others change it."""
        self.busy = False

    def compared_by(self, deployment: str | None) -> None:
        """Two revisions of it live in that deployment, or no longer."""
        self.deployment = deployment

    def mend(self) -> None:
        """Its instance is lost, and somebody makes another."""
        self.endpoint.shut()
        if self.mending is None:
            self.mending = asyncio.get_running_loop().create_future()

    def mended(self) -> None:
        """It was started again, or given up: tell who waits for it."""
        mending, self.mending = self.mending, None
        if mending is not None:
            mending.set_result(None)

    # ------------------------------------------------------------------ what it is

    @property
    def build(self) -> Build:
        """What it is now."""
        return Build(self.revision, self.config, self.brought_by)

    def awaits_build(self, *, waits: bool) -> None:
        """Whether somebody builds its first module, and deploys it then."""
        self.unbuilt = waits

    def come_back(self, revision: Revision, brought_by: str, snapshot_seq: int | None) -> None:
        """It is what the journal says, after a start of the daemon."""
        self.stage(Build(revision, self.config, brought_by))
        self.endpoint.runs(revision.no)
        self.snapshot_seq = snapshot_seq

    def stage(self, build: Build) -> None:
        """Be that build, without an instance."""
        self.revision, self.config, self.brought_by = build.revision, build.config, build.brought_by
        self.endpoint.limit(build.config.limits)
        self.life = Unloaded() if build.revision is None else Loaded(build.revision.sha256)

    def adopt(self, build: Build, hooks: tuple[str, ...]) -> None:
        """Be that build for good; its instance, with those hooks, handles messages already."""
        self.revision, self.config, self.brought_by = build.revision, build.config, build.brought_by
        self.hooks, self.heir_no = hooks, None
        self.endpoint.limit(build.config.limits)
        self.endpoint.asks_to_put_back(asks=PUT_BACK in hooks)
        if build.revision is not None and isinstance(self.life, Running | Suspended):
            self.life = self.life.swap(build.revision.sha256, self.endpoint.slot)

    def leave_to(self, revision_no: int) -> None:
        """After a restart it is that revision."""
        self.heir_no = revision_no

    def keep_out(self, build: KeptOut | None) -> None:
        """That build at its `wasm` is not taken in; None: what stands there does not matter any more."""
        self.kept_out = build

    def remembers_from(self, seq: int | None) -> None:
        """Its state was kept after the turn on that message; None: its memory begins anew."""
        self.snapshot_seq = seq

    def snapshot_kept(self) -> None:
        """Its state could be kept."""
        self.snapshot_error, self.snapshot_failures = None, 0

    def snapshot_failed(self, reason: str) -> None:
        """Its state could not be kept; it is tried again later each time."""
        self.snapshot_error = reason
        self.snapshot_failures += 1

    def touch(self, now_us: int) -> None:
        """It is written down now."""
        self.updated_us = now_us

    # ------------------------------------------------------------------ coming back

    def recovers(self, progress: RecoveryProgress) -> None:
        """Its memory comes back, and is so far; what comes for it waits."""
        self.recovery = progress
        if self.returned is None:
            self.returned = asyncio.Event()

    def recovered(self) -> None:
        """That is over."""
        returned, self.recovery, self.returned = self.returned, None, None
        if returned is not None:
            returned.set()

    async def back(self) -> None:
        """Wait until it does not recover any more."""
        while self.returned is not None:
            await self.returned.wait()

    # ------------------------------------------------------------------ its life

    def want(self, desired: str) -> None:
        """Its operator wants it to be that."""
        self.config = msgspec.structs.replace(self.config, desired=desired)
        if desired != SUSPENDED:
            self.endpoint.resume()

    def told_of_life(self, seq: int) -> None:
        """That message tells it of its life."""
        self.life_seq, self.life_failed = seq, False

    def broke_on(self, seq: int) -> None:
        """The turn on that message cost it its instance."""
        self.life_failed = self.life_failed or seq == self.life_seq

    def place(self, cell: Cell) -> None:
        """It is to live in that cell, and comes back with it."""
        self.cell = cell
        cell.endpoints[self.endpoint] = None

    def start(self, cell: Cell, link: CellLink, slot: int, hooks: tuple[str, ...]) -> None:
        """An instance is in that slot: messages may go to it. Raises InvalidState where it has one."""
        if not isinstance(self.life, Loaded):
            raise InvalidState(f"{self.name} is {state_name(self.life)}, it cannot be started")
        assert self.revision is not None
        self.hooks, self.retry_us = hooks, None
        self.endpoint.asks_to_put_back(asks=PUT_BACK in hooks)
        self.place(cell)
        link.slots[slot] = self.endpoint
        self.endpoint.attach(link, slot, self.revision.no)
        running = self.life.start(cell.no, slot)
        self.life = running.suspend() if self.config.desired == SUSPENDED else running

    def swap(self, link: CellLink, slot: int, revision: Revision, limits: Limits) -> None:
        """Another instance in the same cell, of that revision, handles the next message."""
        assert isinstance(self.life, Running | Suspended)
        link.slots.pop(self.endpoint.slot, None)
        link.slots[slot] = self.endpoint
        self.endpoint.route(slot, revision.no, limits)
        self.life = self.life.swap(revision.sha256, slot)

    def suspend(self) -> None:
        """It takes no turn; where it is just being started, from its start on."""
        self.want(SUSPENDED)
        if isinstance(self.life, Running):
            self.life = self.life.suspend()

    def resume(self) -> None:
        """It may take turns again."""
        self.want(RUNNING)
        if isinstance(self.life, Suspended):
            self.life = self.life.resume()

    def drain(self) -> None:
        """Nothing new is taken; what waits is still handled."""
        if isinstance(self.life, Running):
            self.life = self.life.drain()

    def lose_instance(self) -> None:
        """Its instance is gone, on purpose or with its cell; it may be started again."""
        match self.life:
            case Running() | Suspended():
                self.life = self.life.halt()
            case Draining():
                self.life = self.life.drained()
            case _:
                pass

    def leave_cell(self) -> None:
        """It does not come back with its cell."""
        if self.cell is not None:
            self.cell.endpoints.pop(self.endpoint, None)

    def restarted(self) -> None:
        """It was started again after it had lost its instance."""
        self.restarts += 1

    def fail(self, reason: str) -> None:
        """It does not come up, whatever it was: it takes nothing until it is `reset`."""
        self.endpoint.shut()
        self.endpoint.refuse("agent_failed", f"{self.name} failed: {reason}")
        self.leave_cell()
        if not isinstance(self.life, Failed):
            self.life = self.life.fail(reason)

    def try_again_at(self, at_us: int | None) -> None:
        """When it is started by itself again; None: it is not."""
        self.retry_us = at_us

    def reset(self) -> None:
        """It is to be given another try."""
        self.retry_us = None
        if isinstance(self.life, Failed):
            self.life = self.life.reset()

    def unload(self) -> None:
        """It is a name and nothing else."""
        self.snapshot_seq = None
        self.life = Unloaded()
