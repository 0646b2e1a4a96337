"""`caxton dev` without its output: watch sources, build what changed, deploy it to the running daemon.

In: a project's folder. Out: events (`events.py`), one for everything that a person or an editor wants to know. The
loop is a client of the daemon like any other: it deploys over the HTTP API, so the one change engine does the swap.
A saved file walks

    watch/watcher ─▶ loop ─▶ config_reload ─▶ builders/build (inputs, process) ─▶ rollout ─▶ deployer ─▶ event
"""

from __future__ import annotations

from caxton.devloop.deployer import GateOptions
from caxton.devloop.events import Event
from caxton.devloop.loop import DevLoop
from caxton.devloop.scaffold.implied_project import ensure_project

__all__ = ["DevLoop", "Event", "GateOptions", "ensure_project"]
