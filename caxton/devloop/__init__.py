"""`caxton dev` without its face: watch sources, build what changed, bring it to the running daemon.

In: a project's folder. Out: events (`events.py`), one for everything that a person or an editor wants to know. The
loop is a client of the daemon like any other: it deploys over the HTTP API, so the one change engine does the swap.
Between an edit and its answer stand

    watch ─▶ stamps differ ─▶ build (child process) ─▶ module in its place ─▶ deploy ─▶ event
"""

from __future__ import annotations

from caxton.devloop.delivery import Gate
from caxton.devloop.events import Event
from caxton.devloop.implied import settle
from caxton.devloop.loop import DevLoop

__all__ = ["DevLoop", "Event", "Gate", "settle"]
