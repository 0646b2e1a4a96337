"""Direct: the new revision takes over at once, between two turns; there is no way back but another deployment."""

from __future__ import annotations

from caxton.deploy.handover.swap import Handover


class Direct(Handover):
    """A swap and nothing more."""
