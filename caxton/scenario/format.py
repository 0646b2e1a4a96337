"""What a scenario file may say: the tables and keys, with the rule of each.

In: TOML as Python values. Out: a `Scenario`, checked as far as a file alone can be: filters, bounds, durations and
messages are read here, so that a mistake is found before anything runs. Unknown keys are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from caxton import exact_numbers
from caxton.acl import read_draft
from caxton.config import AgentTable, LimitTable, byte_size
from caxton.duration import seconds
from caxton.errors import CaxtonError
from caxton.finding import Filter
from caxton.scenario.bounds import Bounds, read_bounds
from caxton.scenario.contents import check_expected, with_nulls
from caxton.schemas.exact import ExactJson
from caxton.schemas.task_body import TaskBody

FORMAT = 1
"""The version of this format; a file says which one it was written for."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def _filter(text: str) -> str:
    try:
        Filter(text)
    except CaxtonError as error:
        raise ValueError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from None
    return text


def _counted(value: object) -> Bounds:
    return read_bounds(value, float)


def _burnt(value: object) -> Bounds:
    return read_bounds(value, float, relative=True)


def _sized(value: object) -> Bounds:
    return read_bounds(value, lambda text: int(text) if text.isdecimal() else byte_size(text), relative=True)


def _timed(value: object) -> Bounds:
    return read_bounds(value, seconds)


def _message(value: object) -> object:
    """A message whose members are those of a message."""
    value = with_nulls(value)
    if isinstance(value, dict):
        try:
            read_draft(exact_numbers.encode(value))
        except CaxtonError as error:
            raise ValueError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from None
        if not value.get("receiver"):  # pyright: ignore[reportUnknownMemberType]
            raise ValueError('it has no receiver: add e.g. receiver = "echo"')
    return value  # pyright: ignore[reportUnknownVariableType]


Text = Annotated[str, Field(min_length=1)]
FilterText = Annotated[str, AfterValidator(_filter)]
Count = Annotated[Bounds, BeforeValidator(_counted, json_schema_input_type=int | str)]
Used = Annotated[Bounds, BeforeValidator(_burnt, json_schema_input_type=int | str)]
Size = Annotated[Bounds, BeforeValidator(_sized, json_schema_input_type=int | str)]
Span = Annotated[Bounds, BeforeValidator(_timed, json_schema_input_type=str)]
Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=float | str), Field(ge=0)]
Content = Annotated[ExactJson, BeforeValidator(with_nulls)]
Message = Annotated[dict[str, ExactJson], BeforeValidator(_message)]


class Task(TaskBody):
    """A whole protocol, run as its initiator until it has ended; the keys are those of `POST /tasks`, and what must
    come of it."""

    model_config = ConfigDict(frozen=True)

    content: Content = Field(default=None, description="What the first message says.")
    ending: Literal["achieved", "not-achieved", "failed", "timed-out", "cancelled"] | None = Field(
        default="achieved", description="How it must end."
    )


class Wait(_Table):
    """Let time pass until a message comes that no earlier `wait` has found, or until it is quiet."""

    filter: FilterText | None = Field(default=None, description="Which message.")
    quiet: Seconds | None = Field(default=None, description="Until nothing was said for so long.")
    within: Seconds = Field(default=60.0, description="At most so long; then the run has timed out.")

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if (self.filter is None) is (self.quiet is None):
            raise ValueError("it waits for a filter or for quiet, one of the two")
        return self


class Expect(_Table):
    """What must be so; time passes until it is, `within` at the most."""

    filter: FilterText = Field(
        default="", description="Which messages, of all since the beginning; all where left out."
    )
    count: Count | None = Field(default=None, description='How many, such as 2 or ">=1"; at least one.')
    content: Content = Field(default=None, description="What each of them says, exactly.")
    contents: list[Content] | None = Field(
        default=None,
        description="What they say, one after the other; { any = true } stands for whatever is there.",
    )
    path: dict[str, ExactJson] = Field(
        default_factory=dict[str, ExactJson],
        description="What stands at paths of their contents: a value, { pattern = … } or { approx = …, by = … }.",
    )
    pattern: str | None = Field(default=None, description="A regular expression that occurs in each content.")
    order: list[FilterText] = Field(
        default_factory=list[str], description="Filters of messages that must have come one after the other."
    )
    conversation: str | None = Field(
        default=None, description="The conversation that state and outcome mean."
    )
    state: str | None = Field(default=None, description="Its state, such as Completed.")
    outcome: str | None = Field(default=None, description="Its outcome, such as informed.")
    fuel: Used | None = Field(
        default=None, description='Fuel of each turn on them, such as "<=200000" or "<=1.02 * baseline".'
    )
    latency: Span | None = Field(
        default=None,
        description='Virtual time since the message from outside that led to each, such as "<50ms".',
    )
    agent: str | None = Field(default=None, description="The agent that memory means.")
    memory: Size | None = Field(default=None, description='Its memory, such as "<=2MiB" or "<=baseline".')
    violations: Count | None = Field(default=None, description="How many of them broke their protocol.")
    dead_letters: Count | None = Field(default=None, description="How many dead letters came of them.")
    within: Seconds = Field(default=10.0, description="How long it may take to become so.")

    @property
    def relative(self) -> list[str]:
        """The keys that are held to the baseline."""
        return [key for key in ("fuel", "memory") if (bounds := getattr(self, key)) and bounds.relative]

    @model_validator(mode="after")
    def _something(self) -> Expect:
        said = self.model_fields_set - {"within"}
        if not said:
            raise ValueError("it expects nothing: add a filter, or another key")
        if bool(self.memory) is not bool(self.agent):
            raise ValueError("memory is that of an agent: say both memory and agent")
        if (self.state or self.outcome) and not self.conversation:
            raise ValueError("state and outcome are those of a conversation: say which")
        if self.contents is not None and {"count", "content"} & said:
            raise ValueError(
                "contents say how many there are and what each says: leave count and content out"
            )
        if self.conversation and not (self.state or self.outcome):
            raise ValueError("say the state or the outcome of the conversation")
        for expected in (*self.path.values(), *([{"pattern": self.pattern}] if self.pattern else [])):
            check_expected(expected)
        return self


class ExpectNothing(_Table):
    """Messages that must not come while `within` passes."""

    filter: FilterText = Field(description="Which.")
    within: Seconds = Field(default=1.0, description="How long.")


class Swap(_Table):
    """Bring an agent another build while it runs."""

    agent: Text
    wasm: str | None = Field(
        default=None,
        description="The build, relative to the file; the same code under another hash otherwise.",
    )
    strategy: Literal["direct", "blue-green"] = Field(default="direct", description="How it is taken in.")


class Delay(_Table):
    """From now on, let agents wait for messages; what comes behind one of them in a mailbox waits, too."""

    filter: FilterText = Field(description="Which messages.")
    agent: str | None = Field(default=None, description="Which of their receivers; each where left out.")
    by: Seconds = Field(description="How long.")


class Drop(_Table):
    """Outside what one machine promises: messages are lost between the mailbox and the agent."""

    filter: FilterText = Field(description="Which messages.")
    agent: str | None = Field(default=None, description="On the way to whom; to each where left out.")
    times: int = Field(default=1, ge=1, le=1_000_000, description="So many of the next that are meant.")


class Duplicate(Drop):
    """Outside what one machine promises: messages come twice."""


class Reorder(Drop):
    """Outside what one machine promises: messages come behind the next one that the agent gets."""


class Fill(_Table):
    """Send to an agent until its mailbox is full, in no time."""

    agent: Text
    performative: Text = "inform"
    content: ExactJson = None
    sender: str | None = None


class FailDisk(_Table):
    """Let commits fail."""

    error: Literal["full", "io"] = Field(default="full", description="What the disk says.")
    times: int = Field(default=1, ge=1, le=1000, description="How many in a row; they are tried again.")
    after: int = Field(default=0, ge=0, description="So many go well first.")
    landed: bool = Field(default=False, description="Whether the first one is on disk all the same.")


class KillDaemon(_Table):
    """Take the power away and start again over what was committed."""

    after: int = Field(
        default=0, ge=0, description="So many steps later (a turn begins or ends, a commit); 0: now."
    )
    within: Seconds = Field(default=10.0, description="At the latest then.")


class Send(NamedTuple):
    """Say a message as a client."""

    message: dict[str, Any]


class Advance(NamedTuple):
    """Let so much time pass."""

    seconds: float


class CrashCell(NamedTuple):
    """Kill the cell in which that agent lives."""

    agent: str


Action = (
    Send
    | Task
    | Wait
    | Expect
    | ExpectNothing
    | Advance
    | Swap
    | CrashCell
    | KillDaemon
    | Delay
    | Drop
    | Fill
    | FailDisk
)
ACTIONS = (
    "send",
    "task",
    "wait",
    "expect",
    "expect_nothing",
    "advance",
    "swap",
    "crash_cell",
    "kill_daemon",
    "delay",
    "drop",
    "duplicate",
    "reorder",
    "fill",
    "fail_disk",
)
"""What a step may be; each has one."""


class Step(_Table):
    """One step: one of the actions."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={"oneOf": [{"required": [action]} for action in ACTIONS]},
    )

    name: str | None = Field(default=None, description="What it is for, shown where it fails.")
    send: Message | None = Field(default=None, description="Say a message as a client; it is on disk then.")
    task: Task | None = None
    wait: Wait | None = None
    expect: Expect | None = None
    expect_nothing: ExpectNothing | None = None
    advance: Seconds | None = Field(default=None, description="Let so much time pass.")
    swap: Swap | None = None
    crash_cell: Text | None = Field(default=None, description="Kill the cell in which that agent lives.")
    kill_daemon: KillDaemon | None = None
    delay: Delay | None = None
    drop: Drop | None = None
    duplicate: Duplicate | None = None
    reorder: Reorder | None = None
    fill: Fill | None = None
    fail_disk: FailDisk | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Step:
        said = [action for action in ACTIONS if getattr(self, action) is not None]
        if len(said) != 1:
            many = f"has {' and '.join(said)}" if said else "does nothing"
            raise ValueError(f"a step is one of {', '.join(ACTIONS)}; this one {many}")
        return self

    @property
    def action(self) -> Action:
        """The one that it is."""
        if self.send is not None:
            return Send(self.send)
        if self.advance is not None:
            return Advance(self.advance)
        if self.crash_cell is not None:
            return CrashCell(self.crash_cell)
        found = (
            self.task
            or self.wait
            or self.expect
            or self.expect_nothing
            or self.swap
            or self.kill_daemon
            or self.delay
            or self.drop
            or self.duplicate
            or self.reorder
            or self.fill
            or self.fail_disk
        )
        assert found is not None, "a step has one of them"
        return found

    @property
    def kind(self) -> str:
        """The key of its action."""
        return next(action for action in ACTIONS if getattr(self, action) is not None)


class ScenarioAgent(AgentTable):
    """An agent, by the keys of a table of caxton.toml."""

    sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{8,64}$",
        description="The revision that it must be, or the beginning of its hash.",
    )


class Answer(_Table):
    """What the world answers: a tool, a model, or another effect of the project."""

    agent: Text = Field(description="Who, such as model or tool.fs.")
    request: Content = Field(description="What is asked, exactly.")
    act: Literal["inform", "refuse", "failure"] = Field(default="inform", description="How it is answered.")
    content: Content = Field(default=None, description="What is answered.")


class Scenario(_Table):
    """A scripted run."""

    format: Literal[1] = Field(description="The version of this format.")
    name: str = Field(default="", max_length=200, description="What it shows; the file's name otherwise.")
    seed: int = Field(
        default=0, ge=0, le=(1 << 63) - 1, description="What decides all that is left to chance."
    )
    project: str | None = Field(
        default=None,
        description="The folder of the project whose agents it runs, relative to the file; the nearest one at or above "
        "the file where it names no agents of its own.",
    )
    platform: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$",
        description="The platform; the project's otherwise.",
    )
    limits: LimitTable = Field(
        default_factory=dict[str, int], description="Limits of every agent that differ from the project's."
    )
    memory: str | None = Field(
        default=None,
        description="What the agents remember at the beginning: a file that caxton record wrote, relative to this one.",
    )
    within: Seconds = Field(default=86_400.0, description="Virtual time that the whole run may take.")
    agents: dict[str, ScenarioAgent] = Field(
        default_factory=dict[str, ScenarioAgent],
        description="Agents of its own, or in place of those of the project.",
    )
    answer: list[Answer] = Field(
        default_factory=list[Answer],
        description="What the world answers; a question that is not among them fails, and nobody is asked.",
    )
    offer: dict[str, list[ExactJson]] = Field(
        default_factory=dict[str, list[ExactJson]],
        description="The tools that servers offer, by their agents' names.",
    )
    step: list[Step] = Field(min_length=1, description="What is done, in this order.")
