"""Direct: the new revision takes over at once, between two turns; there is no way back but another deployment."""

from __future__ import annotations

from caxton.deploy.change import Handover


class Direct(Handover):
    """The old instance is shut down in the swap itself."""

    def take_over(self) -> None:
        """Nothing to stand by for."""
        self.put(self.slot, self.target.revision, self.target.config)
