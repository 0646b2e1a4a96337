"""Expectations that are made to say what agents do now.

In: a scenario that does not pass. Out: its text with other expectations and everything else as it was, comments and
layout included; and what no expectation can say, as a result that still fails.
"""

from caxton.scenario.updating.update import Updated, update

__all__ = ["Updated", "update"]
