"""Recorded turns run against another build, beside everything: what would it have answered?

In: conversations of the journal, and a build of an agent. Out: turn by turn what became of them, the same or not. It
promises: what runs here has an instance of its own, and nothing that it says leaves it.
"""

from caxton.replay.diff import Difference, differences
from caxton.replay.normalise import comparable, read_said
from caxton.replay.replayer import Replayer, ReplayRequest
from caxton.replay.report import AgentReport, Report, Start, Totals, TurnReport

__all__ = [
    "AgentReport",
    "Difference",
    "ReplayRequest",
    "Replayer",
    "Report",
    "Start",
    "Totals",
    "TurnReport",
    "comparable",
    "differences",
    "read_said",
]
