"""Every agent and every revision that this project has had; rows in the journal, values in memory.

In: agents as the supervisor changes them. Out: the same after a restart. A number belongs to one name for ever, so
that old turns keep their agent.
"""

from __future__ import annotations

from collections.abc import Collection, Container

from caxton import exact_numbers
from caxton.agents.life import state_name
from caxton.agents.record import AgentConfig, AgentRecord, Revision
from caxton.bus import Endpoint
from caxton.bus.platform_agent import FIRST_GUEST_NUMBER, PLATFORM_NUMBERS
from caxton.config import alike
from caxton.errors import AgentNotFound, ConfigurationError
from caxton.journal import FRESH, AgentRow, Journal, Reader, RevisionRow, StoredPutBack

REMOVED = "removed"
PLATFORM = "platform"

_read_config = exact_numbers.decoder(AgentConfig).decode


class Registry:
    """Agents by local name, revisions by sha256 and profile."""

    def __init__(self, journal: Journal, platform: str) -> None:
        self.agents: dict[str, AgentRecord] = {}
        self.by_endpoint: dict[Endpoint, AgentRecord] = {}
        self._journal = journal
        self._platform = platform
        self._numbers: dict[str, int] = {}
        self._revisions: dict[tuple[str, str], Revision] = {}
        self._created: dict[str, int] = {}
        self._last_used: dict[str, int] = {}
        """By the beginning of names, the last number that was seen to be taken."""
        self._reserved: set[str] = set()
        self._folded: dict[str, str] = {}
        """Names by what they are without capital letters."""

    async def load(self, reader: Reader, now_us: int, configured: Collection[str] = ()) -> None:
        """Read what the journal knows. Agents come back `Loaded`; the supervisor starts them.

        `configured` are the agents of caxton.toml: one of them may have the name of a platform agent that is new.
        """
        revisions = {
            row.no: Revision(row.no, row.sha256, row.profile, row.path) for row in await reader.revisions()
        }
        self._revisions = {(one.sha256, one.profile): one for one in revisions.values()}
        snapshots = await reader.latest_snapshots()
        brought_by = await reader.brought_by()
        places = await reader.last_places()
        put_back: dict[int, list[StoredPutBack]] = {}
        for one in await reader.put_back():
            put_back.setdefault(one.agent_no, []).append(one)
        for row in await reader.agents():
            local = row.name.partition("@")[0]
            self._numbers[local] = row.no
            self._created[local] = row.created_us
            if row.state in (REMOVED, PLATFORM) or row.revision_no is None:
                continue
            config = _read_config(row.config)
            snapshot = snapshots.get(row.no)
            kept = snapshot is not None and snapshot.kind != FRESH and config.recover != "fresh"
            record = self.add(local, config, row.updated_us)
            record.endpoint.places_upto(places.get(row.no, 0))
            record.endpoint.was_put_back(put_back.get(row.no, ()))
            record.come_back(
                revisions[row.revision_no],
                brought_by.get(row.no, ""),
                snapshot.seq if snapshot is not None and kept else None,
            )
        for local, number in PLATFORM_NUMBERS.items():
            if local not in self._numbers and local not in configured:
                self._number_platform(local, number, now_us)

    def reserve(self, name: str, now_us: int) -> int:
        """That name is the platform's own from now on; its number, which is what it had where it had one."""
        self._reserved.add(name.casefold())
        if name not in self._numbers:
            self._number_platform(name, self._next_number(), now_us)
        return self._numbers[name]

    def find(self, name: str) -> AgentRecord:
        """The agent of that name; raises AgentNotFound."""
        record = self.agents.get(name.removesuffix(f"@{self._platform}"))
        if record is None:
            known = ", ".join(sorted(self.agents)[:8]) or "none yet"
            raise AgentNotFound(f"there is no agent {name!r}", hint=f"agents here: {known}", name=name)
        return record

    def add(self, name: str, config: AgentConfig, now_us: int) -> AgentRecord:
        """A new agent in memory; `save` writes it down.

        Raises ConfigurationError where another has that name in other letters.
        """
        if name.casefold() in self._reserved:
            raise ConfigurationError(
                f"the name {name!r} belongs to the platform",
                hint="it has an agent of that name; choose another",
            )
        other = self._folded.get(name.casefold())
        if other is not None:
            raise alike(name, other)
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._next_number()
        endpoint = Endpoint(f"{name}@{self._platform}", number, config.limits)
        created = self._created.setdefault(name, now_us)
        record = AgentRecord(number, name, endpoint, config, created, now_us)
        self.agents[name] = record
        self._folded[name.casefold()] = name
        self.by_endpoint[endpoint] = record
        return record

    def drop(self, record: AgentRecord) -> None:
        """Forget an agent in memory; its number stays taken."""
        self.agents.pop(record.name, None)
        self._folded.pop(record.name.casefold(), None)
        self.by_endpoint.pop(record.endpoint, None)

    def revision(self, sha256: str, profile: str, size: int, path: str, now_us: int) -> Revision:
        """The revision of these bytes; written down when it is new."""
        known = self._revisions.get((sha256, profile))
        if known is not None:
            return known
        number = max((one.no for one in self._revisions.values()), default=0) + 1
        made = Revision(number, sha256, profile, path)
        self._revisions[(sha256, profile)] = made
        self._journal.batch.records.append(RevisionRow(number, sha256, profile, size, path, now_us))
        return made

    def unused(self, prefix: str, taken: Container[str]) -> str:
        """The next name that begins so and that no agent ever had: `prefix-1`, `prefix-2`, …"""
        number = self._last_used.get(prefix, 0) + 1
        while (name := f"{prefix}-{number}") in self._numbers or name in taken:
            number += 1
        self._last_used[prefix] = number - 1
        return name

    def beginning(self, sha256: str) -> list[Revision]:
        """The revisions whose digests begin so, one of each digest."""
        return list(
            {sha: one for (sha, _), one in self._revisions.items() if sha.startswith(sha256)}.values()
        )

    def numbered(self, number: int) -> Revision | None:
        """The revision of that number in the journal."""
        return next((one for one in self._revisions.values() if one.no == number), None)

    def save(
        self,
        record: AgentRecord,
        now_us: int,
        state: str | None = None,
        *,
        revision: Revision | None = None,
        config: AgentConfig | None = None,
    ) -> None:
        """Write an agent down as it is now, or with what it is to be after a restart."""
        record.touch(now_us)
        revision = revision or record.revision
        self._journal.batch.records.append(
            AgentRow(
                record.number,
                record.endpoint.name,
                state or state_name(record.life),
                revision.no if revision else None,
                exact_numbers.encode(config or record.config).decode(),
                record.created_us,
                now_us,
            )
        )

    def _next_number(self) -> int:
        return max(max(self._numbers.values(), default=0) + 1, FIRST_GUEST_NUMBER)

    def _number_platform(self, local: str, number: int, now_us: int) -> None:
        self._numbers[local] = number
        name = f"{local}@{self._platform}"
        self._journal.batch.records.append(AgentRow(number, name, PLATFORM, None, "{}", now_us, now_us))
