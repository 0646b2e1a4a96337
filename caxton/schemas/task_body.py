"""What a client says of a task: the body of `POST /tasks`, and the keys of a scenario's `task`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from caxton.schemas.exact import ExactFigure


class TaskBody(BaseModel):
    """A protocol to run as its initiator."""

    model_config = ConfigDict(extra="forbid", strict=True)

    protocol: str = Field(max_length=64, description='Such as "fipa-contract-net", or "contract-net".')
    to: list[str] | str = Field(description="The participants.")
    content: Any = Field(default=None, description="What the first message says.")
    act: str | None = Field(
        default=None, max_length=40, description="The first act, where there are several."
    )
    reply_by: str | None = Field(
        default=None, max_length=64, description="Until when first answers are in time; 10s."
    )
    deadline: str | None = Field(
        default=None, max_length=64, description="Until when results are; 30 s after the last answer was due."
    )
    choose: str | None = Field(
        default=None, max_length=1024, description="lowest:PATH, highest:PATH, first, all or none."
    )
    winners: int | None = Field(default=None, description="At most so many proposals are accepted; 1.")
    rounds: int | None = Field(default=None, description="Rounds of an iterated contract net; 1.")
    informs: int | None = Field(default=None, description="A subscription ends after so many.")
    price: ExactFigure | None = Field(default=None, description="The first price of an auction.")
    step: ExactFigure | None = Field(default=None, description="What each round of it adds or takes off.")
    limit: ExactFigure | None = Field(default=None, description="The lowest price at which is sold.")
    language: str | None = Field(default=None, max_length=256)
    ontology: str | None = Field(default=None, max_length=256)
    sender: str | None = Field(default=None, max_length=128, description="The client that speaks; operator.")
