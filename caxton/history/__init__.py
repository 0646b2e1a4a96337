"""What has happened, looked at backwards, side by side, and once more from a moment on.

In: journals, of a project or of a run that was kept. Out: the messages that led to one (`why`), the first place where
two runs part (`difference`), and what comes of a moment when something in it is changed (`fork`). The journals are only
read, also while a daemon writes them.
"""

from caxton.history.difference import Parting, difference
from caxton.history.fork import Change, Forked, fork
from caxton.history.why import Link, why

__all__ = ["Change", "Forked", "Link", "Parting", "difference", "fork", "why"]
