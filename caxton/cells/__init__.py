"""What the daemon knows of cells: the processes that run guests.

In: messages for agents that live in a cell. Out: how their turns ended. A cell that dies is replaced; what it had not
answered waits again. The daemon never calls a guest itself.
"""

from caxton.cells.link import Answer, CellLink, CellLost
from caxton.cells.pool import Cell, CellPool, CellState, CellView
from caxton.cells.process import CellProcess, StartCell, WorkerProcess

__all__ = [
    "Answer",
    "Cell",
    "CellLink",
    "CellLost",
    "CellPool",
    "CellProcess",
    "CellState",
    "CellView",
    "StartCell",
    "WorkerProcess",
]
