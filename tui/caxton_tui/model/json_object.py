"""A JSON object as the API gives it, where it has no shape of its own: events, progress, bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
