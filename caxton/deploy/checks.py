"""What a new revision must pass before any message goes to it: static, sandbox, contract, resources.

In: a compiled module and what the agent is to be told. Out: one line for each step, or a DeploymentError that names the
step. A side instance is made, sent one probe, and thrown away with its output.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from caxton.acl import read_draft
from caxton.agents import AgentRecord, Instances
from caxton.bus.turn_output import TurnRefused, parse_output
from caxton.cells import Answer, Cell, CellLost
from caxton.clock import Clock
from caxton.deploy.target import Target
from caxton.errors import CaxtonError, DeploymentError, InvalidMessage
from caxton.limits import KIB
from caxton.sandbox.frames import Fault, Kind, Loaded
from caxton.turn_status import Status

STATIC: Final = "static"
SANDBOX: Final = "sandbox"
CONTRACT: Final = "contract"
RESOURCES: Final = "resources"


class Check(msgspec.Struct, frozen=True):
    """One step of the validation and how it ended."""

    step: str
    passed: bool
    ms: float
    detail: str


class Checks:
    """The steps of one deployment, in order; the last one is the one that failed."""

    def __init__(self, clock: Clock, done: Iterable[Check] = ()) -> None:
        self.done: list[Check] = list(done)
        self._clock = clock
        self._began = clock.monotonic()

    def passed(self, step: str, detail: str, ms: float | None = None) -> None:
        """That step is done and good."""
        self._add(step, True, detail, ms)

    def failed(self, step: str, error: CaxtonError) -> DeploymentError:
        """That step is not good; the error to raise, which names it."""
        self._add(step, False, error.message, None)
        return DeploymentError(
            f"the {step} check failed: {error.message}", hint=error.hint, **{**error.details, "step": step}
        )

    def _add(self, step: str, passed: bool, detail: str, ms: float | None) -> None:
        now = self._clock.monotonic()
        took = (now - self._began) * 1000 if ms is None else ms
        self.done.append(Check(step, passed, round(took, 3), detail))
        self._began = now


async def validate(
    checks: Checks, instances: Instances, record: AgentRecord, cell: Cell, target: Target, *, probe: bool
) -> None:
    """Sandbox, contract and resources, in a side instance. Raises DeploymentError, or CellLost where the cell dies."""
    link = cell.link
    if link is None:
        raise CellLost("the agent's cell is being started again", hint="try again in a moment")
    slot = cell.slot()
    try:
        loaded = await instances.load(record, cell, slot, target.revision, target.config, state=None)
    except DeploymentError as error:
        raise checks.failed(SANDBOX, error) from None
    checks.passed(SANDBOX, f"{_instance(loaded)}, hooks: {', '.join(loaded.hooks) or 'none'}")
    try:
        if not probe:
            checks.passed(CONTRACT, f"ABI {loaded.abi}; no probe was asked for")
            return
        answer = await link.request(Kind.ASIDE, slot, _probe(record.endpoint.name))
    finally:
        await instances.drop(cell, slot)
    _judge(checks, answer, loaded, target)


def _judge(checks: Checks, answer: Answer, loaded: Loaded, target: Target) -> None:
    limits = target.config.limits
    match answer.status:
        case Status.OK:
            checks.passed(CONTRACT, f"ABI {loaded.abi}; to the probe it said {_said(checks, answer)}")
        case Status.GUEST_ERROR:
            checks.passed(CONTRACT, f"ABI {loaded.abi}; it refused the probe")
        case status:
            fault = msgspec.json.decode(answer.payload, type=Fault)
            limit = status == Status.LIMIT
            hint = (
                fault.hint or "an agent must bear a message that it does not know; --no-probe leaves this out"
            )
            error = DeploymentError(f"to a probe message: {fault.code}: {fault.reason}", hint=hint)
            if limit:
                checks.passed(CONTRACT, f"ABI {loaded.abi}")
            raise checks.failed(RESOURCES if limit else CONTRACT, error)
    checks.passed(
        RESOURCES,
        f"probe: fuel {answer.fuel:,} of {limits.fuel:,}, {answer.turn_us / 1000:.2f} ms of {limits.wall_ms} ms, "
        f"memory {_memory(loaded)} of {limits.memory_bytes // KIB:,} KiB",
    )


def _instance(loaded: Loaded) -> str:
    return "instance of a component" if loaded.memory_kib is None else f"instance of {loaded.memory_kib} KiB"


def _memory(loaded: Loaded) -> str:
    return "not to be seen," if loaded.memory_kib is None else f"{loaded.memory_kib:,} KiB"


def _said(checks: Checks, answer: Answer) -> str:
    """How many messages, in words; they must be such as may be sent."""
    try:
        lines = parse_output(answer.payload, answer.said)
        for line in lines.messages:
            read_draft(line)
    except TurnRefused as refusal:
        raise checks.failed(CONTRACT, DeploymentError(f"to a probe message: {refusal.reason}")) from None
    except InvalidMessage as error:
        raise checks.failed(CONTRACT, error) from None
    many = len(lines.messages)
    return "one message" if many == 1 else f"{many or 'no'} messages"


def _probe(agent: str) -> bytes:
    """A question that is none: what the agent says to it goes nowhere, and its instance with it."""
    platform = agent.partition("@")[2]
    return msgspec.json.encode(
        {
            "id": "00000000-0000-4000-8000-000000000000",
            "performative": "query-ref",
            "sender": f"ams@{platform}",
            "receiver": [agent],
            "content": {"caxton": "probe"},
            "conversation_id": "caxton-probe",
            "protocol": "fipa-query",
            "reply_with": "caxton-probe",
            "trace_id": "0" * 31 + "1",
            "span_id": "0" * 15 + "1",
            "timestamp": 0,
        }
    )
