"""A box to fill in, which comes back as it was filled where the daemon refuses what it asked for.

In: what was written. Out: a `Deed` that knows its form, or None where the box was closed.
"""

from __future__ import annotations

from dataclasses import replace

from textual.screen import ModalScreen

from caxton_tui.desk import Deed


class Form(ModalScreen[Deed | None]):
    """The base of the boxes that are filled in."""

    def copy(self) -> Form:
        """Another one, filled as this one is now."""
        raise NotImplementedError

    def finish(self, deed: Deed) -> None:
        """Close it: that is to be done."""
        self.dismiss(replace(deed, again=self.copy()))
