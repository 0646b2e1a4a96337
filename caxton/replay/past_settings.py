"""What an agent was told at the time of a turn, as far as the journal knows it.

In: the agent, a time, what it is told now. Out: the names of the settings and limits that were others then. Each
deployment's row has what the agent was told before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from caxton import exact_numbers
from caxton.agents import AgentConfig, AgentRecord
from caxton.journal import Reader

TAKEN: Final = ("running", "draining")
ALL: Final = 1_000_000_000


class _Detail(msgspec.Struct):
    """What is read of a deployment's row."""

    before: AgentConfig | None = None


_read_detail = exact_numbers.decoder(_Detail, strict=False).decode


async def changed_since(reader: Reader, record: AgentRecord, at_us: int, told: AgentConfig) -> list[str]:
    """Such as `settings.price` and `limits.fuel`, sorted; `at_us` in microseconds since 1970."""
    then: AgentConfig | None = None
    for row in await reader.deployments(agent_no=record.number, limit=ALL):
        if row.updated_us <= at_us:
            break
        if row.state in TAKEN:
            then = _read_detail(row.detail).before or then
    if then is None:
        return []
    limits = [msgspec.structs.asdict(one.limits) for one in (then, told)]
    return [*_others("limits", *limits), *_others("settings", then.settings, told.settings)]


def _others(prefix: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(f"{prefix}.{key}" for key in one.keys() | other.keys() if one.get(key) != other.get(key))
