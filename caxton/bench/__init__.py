"""The bench: figures of a whole system on this machine, each from real agents in real cells over a real journal.

In: which figures are wanted. Out: values that `caxton bench` prints, as a table or as JSON. Nothing is switched off
for it: fuel, limits and `synchronous=FULL` are on, every message is run by a guest and committed.
"""

from caxton.bench.figures import Figure, Progress, Report
from caxton.bench.measure import MEASURES, run

__all__ = ["MEASURES", "Figure", "Progress", "Report", "run"]
