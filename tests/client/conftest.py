"""The daemons of the API's tests, for its client."""

from __future__ import annotations

from api.conftest import caxton, daemon, own_daemon

__all__ = ["caxton", "daemon", "own_daemon"]
