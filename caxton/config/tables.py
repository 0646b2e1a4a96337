"""What `caxton.toml` may say: one model for each of its tables, each field with its sentence for the documentation."""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import Field

from caxton.config.approval_table import ApprovalTable, McpTable
from caxton.config.effect_tables import (
    Allowance,
    BudgetTable,
    EffectTable,
    HttpTable,
    ModelTable,
    RemoteTable,
    ToolTable,
)
from caxton.config.limit_table import LimitTable, limits_from
from caxton.config.listen_table import ListenTable
from caxton.config.table import Seconds, Table
from caxton.limits import TREE_WAITING, Limits


class JournalTable(Table):
    """[journal]: how long rows are kept, and how often an agent's state is."""

    keep_days: int = Field(
        default=30,
        ge=0,
        description="Days a message is kept; 0 keeps them for ever. Pinned conversations stay.",
    )
    keep_mib: int = Field(
        default=4096,
        ge=0,
        description="Size in MiB above which the oldest go; 0: no bound. Pinned conversations stay.",
    )
    keys_days: int = Field(
        default=7, ge=0, description="Days an Idempotency-Key is known; 0: for ever. Messages may go before."
    )
    memory_mib: int = Field(
        default=256,
        ge=0,
        description="MiB kept beside keep_mib for one agent's memory; above, it is suspended. 0: no bound.",
    )
    snapshot_every: int = Field(
        default=100, ge=0, description="Turns between two snapshots; 0: at shutdown only."
    )
    replay_turns: int = Field(
        default=1_000_000,
        ge=0,
        description="Most turns run again to bring one agent's memory back; 0: no bound.",
    )


class LogTable(Table):
    """[log]: what the daemon writes to its log and in which shape."""

    format: Literal["text", "json"] = Field(
        default="text", description="Readable lines, or one JSON object a line."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The lowest level that is kept."
    )
    max_mib: int = Field(
        default=10, ge=1, le=10_000, description="MiB above which .caxton/daemon.log is begun anew."
    )
    files: int = Field(
        default=5, ge=0, le=100, description="Older files that are kept, daemon.log.1 the newest."
    )


class TelemetryTable(Table):
    """[telemetry]: where the daemon's log records and meters go beside its own log and /metrics."""

    exporter: Literal["none", "console", "otlp"] = Field(
        default="none",
        description="otlp: to a collector, spans too; console: records as JSON lines in the daemon's log.",
    )
    endpoint: str | None = Field(
        default=None,
        min_length=1,
        description="The collector's URL; http://localhost:4318 otherwise (4317 for gRPC).",
    )
    protocol: Literal["http/protobuf", "grpc"] = Field(
        default="http/protobuf", description="How it is spoken to; grpc needs the extra `grpc`."
    )
    sample: float = Field(
        default=1.0, ge=0, le=1, description="The share of all traces whose spans are exported, by their ids."
    )
    slow_s: Seconds = Field(
        default=1.0, description="Turns that took so long are exported whatever the share, as are failures."
    )
    interval_s: Seconds = Field(default=60.0, description="Time between two exports of the meters.")


RefereeMode = Literal["enforce", "warn", "off"]


class RefereeTable(Table):
    """[referee]: what is done about a message that breaks its protocol, and which protocols there are."""

    mode: RefereeMode = Field(
        default="enforce",
        description="enforce: violations are not delivered; warn: delivered and marked; off: not checked.",
    )
    protocols: dict[str, RefereeMode] = Field(
        default_factory=dict[str, RefereeMode], description="Another setting for single protocols, by name."
    )
    tables: list[str] = Field(
        default_factory=list[str],
        description="Protocols of the project's own: TOML files, or patterns, relative to its folder.",
    )


class DeployTable(Table):
    """[deploy]: how deployments go of which nothing else was said."""

    probation_turns: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Good turns of a new revision until the old one ends (blue-green).",
    )
    probation_s: Seconds = Field(
        default=10.0, description="Time after which the old one ends anyway: the warm-up."
    )
    drain_s: Seconds = Field(
        default=60.0, description="How long the old revision may take to end its conversations (drain)."
    )
    quiet_s: Seconds = Field(
        default=5.0,
        description="How long those without a protocol must have been silent for it to end earlier (drain).",
    )
    canary_stages: str = Field(
        default="5:5m,25:10m,50:10m",
        description="Percentages of the new conversations and durations, by stage.",
    )
    rollback_on: str = Field(
        default="error_rate>1%", description="Conditions on which a canary is rolled back; empty for none."
    )
    canary_turns: int = Field(
        default=20, ge=1, le=1_000_000, description="Turns of a stage before it is judged."
    )
    shadow_s: Seconds = Field(default=300.0, description="How long a shadow runs.")
    compare: str = Field(default="output,errors,fuel,time", description="What a shadow is compared in.")
    probe: bool = Field(default=True, description="Whether a new revision is probed before any traffic.")


class BusTable(Table):
    """`[bus]`: what messages there may be at a time."""

    held: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="Messages that break points hold at a time; at that number every break point is removed.",
    )
    tree_waiting: int = Field(
        default=TREE_WAITING,
        ge=1,
        le=1_000_000,
        description="Messages of one causal tree that wait at a time; beyond that number the tree is ended.",
    )


class CompileTable(Table):
    """[compile]: what the child that compiles modules may use."""

    wall_s: Seconds = Field(
        default=10.0, description="Processor time of one compilation; ten times as long on the clock."
    )
    memory_mib: int = Field(
        default=2048, ge=128, le=65_536, description="Address space of the child (Linux only)."
    )
    max_module_mib: int = Field(default=16, ge=1, le=48, description="Largest module that is accepted.")


class BuildTable(Table):
    """[agents.NAME.build]: the command by which `caxton dev` makes the module."""

    command: list[str] = Field(
        min_length=1, description="Program and arguments; no shell, run in the folder of the agent's source."
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="The module that it writes, or the agent in Python (`.py`), relative to there; `wasm` otherwise.",
    )
    watch: list[str] = Field(
        default_factory=list[str],
        description="What it reads, as in a .gitignore, relative to there; everything otherwise.",
    )
    timeout: Seconds = Field(default=60.0, description="How long it may take.")


class PythonTable(Table):
    """[python]: where agents in Python find modules of their own."""

    path: list[str] = Field(
        default_factory=list[str],
        description="Folders with modules that agents in Python may import, relative to the project's folder.",
    )
    requirements: list[str] = Field(
        default_factory=list[str],
        description="Packages in pure Python that they may import, as pip writes them.",
    )
    wheels: list[str] = Field(
        default_factory=list[str],
        description="Folders with wheels, relative to there; packages come from nowhere else then.",
    )


class AgentTable(Table):
    """[agents.NAME]: an agent that the daemon brings up by itself."""

    wasm: str = Field(
        description="The module, .wasm or .wat, or a Python agent's source, .py, relative to the project's folder.",
        min_length=1,
    )
    source: str | None = Field(
        default=None,
        min_length=1,
        description="What `caxton dev` builds it from, a file or a folder; the source beside it otherwise.",
    )
    build: BuildTable | None = Field(
        default=None, description="The command that builds it, where it has one."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="Given to caxton_init as JSON."
    )
    limits: LimitTable = Field(
        default_factory=dict[str, int], description="Limits that differ from the project's."
    )
    profile: Literal["standard", "strict"] = Field(
        default="standard", description="Wasm features that are on."
    )
    start: bool = Field(default=True, description="Whether it starts with the daemon.")
    recover: Literal["replay", "snapshot", "fresh"] = Field(
        default="replay", description="How its memory comes back after a restart or a crash."
    )
    may: list[Literal["create", "destroy", "suspend", "resume"]] = Field(
        default_factory=list[Literal["create", "destroy", "suspend", "resume"]],
        description="Its rights: to have agents made by `ams`, and to change the lives of others than its own.",
    )
    effects: list[str] = Field(
        default_factory=list[str],
        description="Its rights to the world: which of the project's `effects` it may ask.",
    )
    http: list[str] = Field(
        default_factory=list[str], description="Which of the project's `http` it may ask."
    )
    models: list[str] = Field(
        default_factory=list[str], description="Which of the project's `models` it may ask."
    )
    tools: list[str] = Field(
        default_factory=list[str],
        description="Which tools of the project's `tools` it may call: NAME.TOOL, or patterns of that.",
    )
    a2a: bool = Field(
        default=False, description="Whether clients of A2A may ask it, at /a2a/NAME of the listener."
    )
    remotes: list[str] = Field(
        default_factory=list[str], description="Which of the project's `a2a` it may ask."
    )
    budget: Allowance = Field(
        default_factory=Allowance, description="What it may spend on models; `budgets.agent` otherwise."
    )
    on_failure: Literal["restart", "tell", "end-all"] = Field(
        default="restart",
        description="What is done when a child breaks down, where its `create` says nothing.",
    )
    children: int = Field(
        default=100, ge=0, le=100_000, description="Agents that it and its children may have made at a time."
    )
    children_mib: int = Field(
        default=0, ge=0, description="MiB that their limits of memory may sum up to; 0: no bound of its own."
    )
    children_per_s: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Agents that may be made for it and its children in a second.",
    )


class Config(Table):
    """Everything that `caxton.toml` may say."""

    name: str = Field(
        default="", max_length=100, description="The project's name; its folder's name otherwise."
    )
    platform: str = Field(
        default="local",
        pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$",
        description="The part after @ in the agents' names.",
    )
    cells: int | None = Field(
        default=None, ge=1, le=256, description="Worker processes; one less than the processors otherwise."
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=(1 << 63) - 1,
        description="What all ids and the randomness of agents are drawn from; chance otherwise.",
    )
    nice: int = Field(
        default=5, ge=0, le=19, description="How far the daemon gives way to terminals; 0: not at all."
    )
    limits: LimitTable = Field(default_factory=dict[str, int], description="Limits of every agent.")
    listen: ListenTable = Field(default_factory=ListenTable)
    journal: JournalTable = Field(default_factory=JournalTable)
    python: PythonTable = Field(default_factory=PythonTable)
    log: LogTable = Field(default_factory=LogTable)
    telemetry: TelemetryTable = Field(default_factory=TelemetryTable)
    bus: BusTable = Field(default_factory=BusTable)
    compile: CompileTable = Field(default_factory=CompileTable)
    deploy: DeployTable = Field(default_factory=DeployTable)
    referee: RefereeTable = Field(default_factory=RefereeTable)
    agents: dict[str, AgentTable] = Field(default_factory=dict[str, AgentTable])
    effects: dict[str, EffectTable] = Field(default_factory=dict[str, EffectTable])
    http: dict[str, HttpTable] = Field(default_factory=dict[str, HttpTable])
    models: dict[str, ModelTable] = Field(default_factory=dict[str, ModelTable])
    tools: dict[str, ToolTable] = Field(default_factory=dict[str, ToolTable])
    a2a: dict[str, RemoteTable] = Field(default_factory=dict[str, RemoteTable])
    approvals: dict[str, ApprovalTable] = Field(default_factory=dict[str, ApprovalTable], max_length=100)
    mcp: McpTable = Field(default_factory=McpTable)
    budgets: BudgetTable = Field(default_factory=BudgetTable)

    def cell_count(self) -> int:
        """How many cells to run: what was said, else one less than the processors, at least one."""
        return self.cells or max(1, (os.cpu_count() or 2) - 1)

    def default_limits(self) -> Limits:
        """The limits of an agent that has none of its own."""
        return limits_from(self.limits)

    def outward(self) -> list[str]:
        """The names of the agents that stand for the world, as far as no agent has them."""
        named = [
            *self.effects,
            *(f"http.{name}" for name in self.http),
            *(f"tool.{name}" for name in self.tools),
            *(f"a2a.{name}" for name in self.a2a),
        ]
        return [*named, "model"] if self.models else named

    def secret_names(self) -> set[str]:
        """Variables of the environment whose values are shown nowhere: keys, and what processes and servers get."""
        named = {one.key_env for one in self.models.values() if one.key_env is not None}
        for process in self.effects.values():
            named |= {*process.env}
        for server in self.tools.values():
            named |= {*server.env, *server.headers.values()}
        for place in self.http.values():
            named |= {*place.headers.values()}
        for other in self.a2a.values():
            named |= {*other.headers.values()}
        return named

    def limits_of(self, agent: str) -> Limits:
        """The limits of that agent: its own over the project's over the defaults."""
        table = self.agents.get(agent)
        return limits_from(table.limits if table else {}, self.default_limits())
