"""What `caxton.toml` may say of the world outside: processes that are agents on the bus."""

from __future__ import annotations

from pydantic import Field

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
