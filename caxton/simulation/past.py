"""Agents that begin with a past: a disk that has it gets the builds and settings that they are to run with.

In: a disk as `caxton.journal.moment` makes one. Out: the same, so that the next start brings each agent back on its
build, with what the disk says it was told. Those that the disk does not know begin with nothing, as always.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from caxton.agents import AgentConfig
from caxton.journal import AgentRow, RevisionRow
from caxton.journal.memory import MemoryDisk
from caxton.journal.moment import fill
from caxton.simulation.agents import Agent
from caxton.simulation.virtual_machine import kept


def settle(disk: MemoryDisk, agents: Mapping[str, Agent], platform: str, now_us: int) -> None:
    """Each of these agents that the disk knows runs as it is said here; raises InvalidModule."""
    rows = disk.rows()
    revisions = {(row[1], row[2]): int(row[0]) for row in rows["revision"]}
    numbers = {str(row[1]): int(row[0]) for row in rows["agent"]}
    for name, agent in agents.items():
        number = numbers.get(f"{name}@{platform}")
        if number is None:
            continue
        sha256 = kept(agent.module, agent.profile, wat=agent.wat)
        key = (sha256, agent.profile)
        if key not in revisions:
            revisions[key] = max(revisions.values(), default=0) + 1
            row = RevisionRow(revisions[key], sha256, agent.profile, len(agent.module), "", now_us)
            fill(disk, {"revision": [row.fields()]})
        config = AgentConfig(
            limits=agent.limits,
            settings=dict(agent.settings),
            profile=agent.profile,
            recover=agent.recover,
        )
        told = msgspec.json.encode(config).decode()
        one = AgentRow(number, f"{name}@{platform}", "running", revisions[key], told, now_us, now_us)
        fill(disk, {"agent": [one.fields()]})
