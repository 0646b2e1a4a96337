"""What `caxton.toml` may say of the world outside: processes that are agents on the bus."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from caxton.config.table import Seconds, Table


class EffectTable(Table):
    """[effects.NAME]: a process of the project's own that does what agents ask for."""

    command: list[str] = Field(
        min_length=1, description="Program and arguments; no shell, run in the project's folder."
    )
    env: list[str] = Field(
        default_factory=list[str],
        description="Names of the environment variables that it gets; their values are shown nowhere.",
    )
    timeout: Seconds = Field(
        default=60.0, description="How long a call may take where its `reply_by` is not earlier."
    )
    at_once: int = Field(default=1, ge=1, le=256, description="Calls that it gets at the same time.")
    waiting: int = Field(
        default=1000, ge=1, le=100_000, description="Calls that may wait for it; more are refused."
    )
    idempotent: bool = Field(
        default=False,
        description="Whether a call that was interrupted may be made again because twice does no more than once.",
    )


class ModelTable(Table):
    """[models.NAME]: a model that agents may ask by the agent `model`."""

    url: str = Field(
        pattern=r"^https?://[^\s]+$",
        description="Where its API begins, up to and with /v1.",
    )
    model: str = Field(min_length=1, description="Its name there.")
    wire: Literal["openai", "anthropic"] = Field(
        default="openai", description="openai: POST /chat/completions; anthropic: POST /messages."
    )
    key_env: str | None = Field(
        default=None, min_length=1, description="The environment variable that has its key; none without."
    )
    timeout: Seconds = Field(
        default=120.0, description="How long a call may take where its `reply_by` is not earlier."
    )
    max_tokens: int = Field(
        default=1024, ge=1, le=1_000_000, description="Tokens of an answer where the request does not say."
    )
    price_input: float = Field(default=0.0, ge=0, description="Money for a million tokens that go in.")
    price_output: float = Field(default=0.0, ge=0, description="Money for a million tokens that come out.")
    price_cached: float | None = Field(
        default=None,
        ge=0,
        description="Money for a million that go in and were cached; as the others otherwise.",
    )


class HttpTable(Table):
    """[http.NAME]: hosts that agents may reach by the agent `http.NAME`."""

    hosts: list[str] = Field(
        min_length=1,
        description="What is reached: names or patterns, with a port where it is not the usual one.",
    )
    methods: list[str] = Field(default=["GET", "HEAD"], description="Methods that are let through.")
    private: list[str] = Field(
        default_factory=list[str],
        description="Addresses or networks that are reached although they are not of the open internet.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Headers that are added, each by the name of the environment variable that has its value.",
    )
    request_bytes: int = Field(default=65_536, ge=0, le=16 << 20, description="Largest body of a request.")
    response_bytes: int = Field(
        default=196_608, ge=0, le=16 << 20, description="Largest body of an answer; more is a failure."
    )
    timeout: Seconds = Field(
        default=30.0, description="How long a call may take where its `reply_by` is not earlier."
    )
    at_once: int = Field(default=8, ge=1, le=256, description="Calls that go at the same time.")

    @field_validator("private")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for one in value:
            ip_network(one, strict=False)
        return value


class ToolTable(Table):
    """[tools.NAME]: a server of MCP tools that agents may call by the agent `tool.NAME`."""

    command: list[str] = Field(
        default_factory=list[str],
        description="Program and arguments of a server that speaks over stdio; no shell, run in the project's folder.",
    )
    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="Where a server is that speaks over streamable HTTP. Either this or `command`.",
    )
    env: list[str] = Field(
        default_factory=list[str],
        description="Names of the environment variables that the server gets; their values are shown nowhere.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Headers for `url`, each by the name of the environment variable that has its value.",
    )
    allow: list[str] = Field(default=["*"], description="Names or patterns of the tools that are offered.")
    deny: list[str] = Field(
        default_factory=list[str],
        description="Names or patterns of those that are not, whatever `allow` says.",
    )
    read_only: bool = Field(
        default=False, description="Whether only tools are offered that the server says to change nothing."
    )
    idempotent: bool | None = Field(
        default=None,
        description="Whether an interrupted call may be made again; otherwise the tool's annotations say.",
    )
    timeout: Seconds = Field(
        default=60.0, description="How long a call may take where its `reply_by` is not earlier."
    )
    at_once: int = Field(default=8, ge=1, le=256, description="Calls that the server gets at the same time.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("a server of tools has either a command or a url")
        if self.headers and not self.url:
            raise ValueError("headers are for a url; a command gets `env`")
        if self.env and not self.command:
            raise ValueError("env is for a command; a url gets `headers`")
        return self


class RemoteTable(Table):
    """[a2a.NAME]: an agent of another system that agents may ask by the agent `a2a.NAME`."""

    url: str = Field(
        pattern=r"^https?://[^\s]+$",
        description="Where it is: its card is at /.well-known/agent-card.json below that.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="Headers that are added, each by the name of the environment variable that has its value.",
    )
    idempotent: bool = Field(
        default=False,
        description="Whether an interrupted call may be made again, as it does a message of the same id once.",
    )
    timeout: Seconds = Field(
        default=300.0, description="How long a call may take where its `reply_by` is not earlier."
    )
    at_once: int = Field(default=8, ge=1, le=256, description="Calls that go at the same time.")


class Allowance(Table):
    """What may be spent on models; nothing that is left out is bounded."""

    tokens: int | None = Field(default=None, ge=0, description="Tokens, in and out.")
    money: float | None = Field(default=None, ge=0, description="Money, by the prices of the models.")


class BudgetTable(Table):
    """[budgets]: what may be spent on models, reserved before each call."""

    turn: Allowance = Field(default_factory=Allowance, description="By what one turn of an agent asks.")
    conversation: Allowance = Field(default_factory=Allowance, description="In one conversation.")
    replay: Allowance = Field(
        default_factory=lambda: Allowance(tokens=100_000),
        description="By what one replay asks for real; those of turns, conversations and agents do not count it.",
    )
    agent: Allowance = Field(default_factory=Allowance, description="By one agent.")
    day: Allowance = Field(default_factory=Allowance, description="In a day, UTC.")
    project: Allowance = Field(default_factory=Allowance, description="In all.")
