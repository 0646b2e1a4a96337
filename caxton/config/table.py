"""What the models of `caxton.toml` have in common: no unknown keys, no value that is only nearly of its type."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from caxton.duration import seconds

Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=86_400)]


class Table(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)
