"""What events of the stream say that a program acts on; the API's page has every kind."""

from __future__ import annotations

from caxton.schemas.shape import Shape


class DeploymentChange(Shape, frozen=True, kw_only=True):
    """Where a deployment stands now."""

    id: str
    agent: str
    strategy: str
    state: str
    revision: str
    previous: str | None
    reason: str | None
    configured: bool
    takes_back: str | None
