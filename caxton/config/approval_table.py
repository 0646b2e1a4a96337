"""What `caxton.toml` may say of messages that need a yes before they go on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from caxton.access import Role
from caxton.config.table import Table
from caxton.duration import seconds

LONGEST_S = 30 * 86_400.0

Wait = Annotated[
    float, BeforeValidator(lambda value: seconds(value, most_s=LONGEST_S)), Field(gt=0, le=LONGEST_S)
]


class ApprovalTable(Table):
    """[approvals.NAME]: messages that somebody has to approve before they go on."""

    where: str = Field(
        min_length=1, max_length=1_000, description="Which messages: a filter, as break points have them."
    )
    by: list[str] = Field(
        default=["operator"],
        min_length=1,
        max_length=100,
        description="Who may decide: roles, or names of tokens; an admin always may.",
    )
    timeout: Wait = Field(
        default=86_400.0,
        description="How long one may wait for a decision; its own `reply_by` bounds it as well.",
    )
    then: Literal["refuse", "admin"] = Field(
        default="refuse",
        description="What happens after that: refuse refuses it; admin leaves it to an admin from then on.",
    )
    waiting: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Messages that may wait for it, half of them from one sender; more are refused.",
    )

    @field_validator("by")
    @classmethod
    def _can_decide(cls, names: list[str]) -> list[str]:
        """A viewer changes nothing, so it decides nothing either."""
        if Role.VIEWER in names:
            raise ValueError(
                "a viewer cannot decide anything: say operator, developer, admin, or a token's name"
            )
        return names


class McpTable(Table):
    """[mcp]: what coding agents may do by `caxton mcp`."""

    approve: bool = Field(
        default=False, description="Whether they may decide about messages that need an approval."
    )
