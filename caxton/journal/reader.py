"""Reading the journal: messages, turns, conversations, events, and what the registry wrote.

In: a number range, a time range, a conversation, an agent. Out: frozen rows (rows.py). One aiosqlite
connection that cannot write. Ranges leave out both ends: `after_seq < seq < before_seq`. Times are
`since_us <= at_us < until_us` and are found by bisection over `seq`, because the bus stamps times that
never go back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec

from caxton.errors import JournalError
from caxton.ids import conversation_key
from caxton.journal.batch import AGENT_BITS, MAX_AGENT_NO, AgentRow, DeploymentRow, RevisionRow, SnapshotRow
from caxton.journal.rows import (
    Stats,
    StoredConversation,
    StoredDeadLetter,
    StoredEvent,
    StoredMessage,
    StoredTurn,
)

Value = int | str | None
Row = tuple[Any, ...]

END = (1 << 43) - 1
"""No number is as high as this."""
FEW = 500
"""An agent with at most so many conversations is looked up through them, another by scanning."""

_MESSAGE = "m.seq, m.at_us, m.conversation, m.cause, m.hops, m.flags, m.body"
_EVENT = "seq, at_us, kind, agent, conversation, body"
_TURN = f"""t.id >> {AGENT_BITS}, t.id & {MAX_AGENT_NO}, a.name, t.revision_no, t.started_us, t.queue_us,
t.turn_us,
  t.fuel, t.sent, t.status"""
_OF_MESSAGE = f"t.id >= (m.seq << {AGENT_BITS}) and t.id < ((m.seq + 1) << {AGENT_BITS})"
_JSON = "cast(m.body as text)"
_BY_AGENT = f"""({_JSON}->>'sender' = :agent
  or exists (select 1 from json_each({_JSON}, '$.receiver') where value = :agent))"""


class Reader:
    """Answers questions about the journal; every method is one or a few short statements."""

    def __init__(self, db: aiosqlite.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    @classmethod
    async def open(cls, path: Path) -> Reader:
        """Open a connection that can only read. The caller closes it, else its thread keeps the process
        alive."""
        db = await aiosqlite.connect(path, isolation_level=None)
        try:
            await db.execute("pragma query_only = 1")
            await db.execute("pragma busy_timeout = 2000")
        except BaseException:
            await db.close()
            raise
        return cls(db, path)

    async def close(self) -> None:
        """Close the connection and end its thread."""
        await asyncio.shield(asyncio.ensure_future(self._db.close()))

    async def message(self, seq: int) -> StoredMessage | None:
        """The message with that number, None where there is none (any more)."""
        rows = await self._all(f"select {_MESSAGE} from message m where m.seq = :seq", seq=seq)
        return StoredMessage(*rows[0]) if rows else None

    async def messages(
        self,
        *,
        conversation: str | None = None,
        agent: str | None = None,
        performative: str | None = None,
        after_seq: int = 0,
        before_seq: int | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[StoredMessage]:
        """Messages that fit all that is given; `agent` is sender or one of the receivers."""
        after, before = await self._range(after_seq, before_seq, since_us, until_us)
        wanted = ["m.seq > :after", "m.seq < :before"]
        if performative is not None:
            wanted.append(f"{_JSON}->>'performative' = :performative")
        if agent is not None:
            wanted.append(_BY_AGENT)
        keys: list[int] | None = None
        if conversation is not None:
            wanted.append(f"{_JSON}->>'conversation_id' = :conversation")
            keys = [conversation_key(conversation)]
        elif agent is not None:
            keys = await self._few_keys(agent)
        values: dict[str, Value] = {
            "after": after,
            "before": before,
            "performative": performative,
            "agent": agent,
            "conversation": conversation,
        }
        rows = await self._select(_MESSAGE, "", wanted, keys, values, limit, newest_first)
        return [StoredMessage(*row) for row in rows]

    async def turns(
        self,
        *,
        conversation: str | None = None,
        seqs: Sequence[int] | None = None,
        agent: str | None = None,
        after_seq: int = 0,
        before_seq: int | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[StoredTurn]:
        """Turns in the order of their messages: of a conversation, of these messages, of an agent, or all."""
        before = END if before_seq is None else before_seq
        wanted = ["m.seq > :after", "m.seq < :before"]
        values: dict[str, Value] = {"after": after_seq, "before": before, "agent": agent}
        if agent is not None:
            wanted.append(f"t.id & {MAX_AGENT_NO} = (select no from agent where name = :agent)")
        if conversation is not None or seqs is not None:
            keys: list[int] | None = None
            if conversation is not None:
                wanted.append(f"{_JSON}->>'conversation_id' = :conversation")
                values["conversation"] = conversation
                keys = [conversation_key(conversation)]
            if seqs is not None:
                wanted.append("m.seq in (select value from json_each(:seqs))")
                values["seqs"] = _json(list(seqs))
            join = f"cross join turn t on {_OF_MESSAGE} left join agent a on a.no = t.id & {MAX_AGENT_NO}"
            rows = await self._select(_TURN, join, wanted, keys, values, limit, newest_first)
            return [StoredTurn(*row) for row in rows]
        direction = "desc" if newest_first else "asc"
        rows = await self._all(
            f"""select {_TURN} from turn t left join agent a on a.no = t.id & {MAX_AGENT_NO}
                where t.id >= (:after + 1) << {AGENT_BITS} and t.id < :before << {AGENT_BITS}
                  and (:agent is null or t.id & {MAX_AGENT_NO} = (select no from agent where name = :agent))
                order by t.id {direction} limit :limit""",
            **values,
            limit=limit,
        )
        return [StoredTurn(*row) for row in rows]

    async def conversations(
        self, *, agent: str | None = None, before_seq: int | None = None, limit: int = 100
    ) -> list[StoredConversation]:
        """Conversations whose first number is below `before_seq`, newest first."""
        found: list[StoredConversation] = []
        before = END if before_seq is None else before_seq
        keys = None if agent is None else await self._keys(agent)
        while len(found) < limit:
            rows = await self._conversation_rows(keys, before, limit)
            found += await self._conversations(rows)
            if len(rows) < limit:
                break
            before = int(rows[-1][0])
        return found[:limit]

    async def conversation(self, conversation_id: str) -> StoredConversation | None:
        """The conversation with exactly that id, None where nothing of it is in the journal."""
        indexed = await self._indexed()
        rows = await self._all(
            """select seq, key, id, at_us, initiator, protocol from (
                 select c.* from conversation_key k cross join conversation c on c.seq = k.seq
                   where k.key = :key and k.seq <= :indexed and c.id = :id
                 union all
                 select * from conversation where seq > :indexed and key = :key and id = :id)
               order by seq limit 1""",
            key=conversation_key(conversation_id),
            id=conversation_id,
            indexed=indexed,
        )
        found = await self._conversations(rows)
        return found[0] if found else None

    async def stream(self, after_seq: int, limit: int = 1000) -> list[StoredMessage | StoredEvent]:
        """Messages and events above `after_seq`, merged by number, from one moment: without a gap."""
        rows = await self._all(
            f"""select * from (select {_MESSAGE}, 0 from message m where seq > :after
                               order by seq limit :limit)
                union all
                select * from (select seq, at_us, conversation, kind, agent, 0, body, 1 from event
                               where seq > :after order by seq limit :limit)
                order by 1 limit :limit""",
            after=after_seq,
            limit=limit,
        )
        return [_streamed(row) for row in rows]

    async def events(
        self,
        *,
        kind: str | None = None,
        agent: str | None = None,
        after_seq: int = 0,
        before_seq: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[StoredEvent]:
        """Events of a kind and an agent; `kind` may end in `*`."""
        direction = "desc" if newest_first else "asc"
        rows = await self._all(
            f"""select {_EVENT} from event where seq > :after and seq < :before
                  and (:kind is null or kind glob :kind) and (:agent is null or agent = :agent)
                order by seq {direction} limit :limit""",
            after=after_seq,
            before=END if before_seq is None else before_seq,
            kind=kind,
            agent=agent,
            limit=limit,
        )
        return [StoredEvent(*row) for row in rows]

    async def dead_letters(
        self, *, agent: str | None = None, before_seq: int | None = None, limit: int = 100
    ) -> list[StoredDeadLetter]:
        """Dead letters, newest first."""
        rows = await self._all(
            """select seq, agent, at_us, code, reason from dead_letter
               where seq < :before and (:agent is null or agent = :agent)
               order by seq desc, agent limit :limit""",
            before=END if before_seq is None else before_seq,
            agent=agent,
            limit=limit,
        )
        return [StoredDeadLetter(*row) for row in rows]

    async def agents(self) -> list[AgentRow]:
        """Every agent that the registry wrote, by number."""
        rows = await self._all(
            "select no, name, state, revision_no, config, created_us, updated_us from agent order by no"
        )
        return [AgentRow(*row) for row in rows]

    async def revisions(self) -> list[RevisionRow]:
        """Every revision, by number."""
        rows = await self._all("select no, sha256, profile, size, path, created_us from revision order by no")
        return [RevisionRow(*row) for row in rows]

    async def deployments(self, *, agent_no: int | None = None, limit: int = 100) -> list[DeploymentRow]:
        """Deployments of an agent or of all, newest first."""
        rows = await self._all(
            """select id, agent_no, revision_no, previous_no, strategy, state, reason, created_us,
                 updated_us, detail from deployment where (:agent_no is null or agent_no = :agent_no)
               order by created_us desc, id desc limit :limit""",
            agent_no=agent_no,
            limit=limit,
        )
        return [DeploymentRow(*row) for row in rows]

    async def snapshot(self, agent_no: int) -> SnapshotRow | None:
        """The latest snapshot of an agent."""
        rows = await self._all(
            "select agent_no, seq, at_us, revision_no, data from snapshot where agent_no = :no", no=agent_no
        )
        return SnapshotRow(*rows[0]) if rows else None

    async def client_key(self, key: str) -> int | None:
        """The number of the message that a client's idempotency key stands for."""
        rows = await self._all("select seq from client_key where key = :key", key=key)
        return int(rows[0][0]) if rows else None

    async def meta(self, key: str) -> int | str | None:
        """One named value, as `Meta` wrote it."""
        rows = await self._all("select value from meta where key = :key", key=key)
        value: int | str | None = rows[0][0] if rows else None
        return value

    async def stats(self) -> Stats:
        """How far the journal reaches, without counting rows."""
        ((first, last, first_us, last_us, trimmed, indexed, low, pages, free, size, dead),) = await self._all(
            """select (select min(n) from (
                   select min(seq) n from message union all select min(seq) from event)),
                 (select max(n) from (
                   select max(seq) n from message union all select max(seq) from event)),
                 (select at_us from message order by seq limit 1),
                 (select at_us from message order by seq desc limit 1),
                 (select value from meta where key = 'trimmed_upto'),
                 (select value from meta where key = 'indexed_upto'),
                 (select value from meta where key = 'low_water'),
                 (select page_count from pragma_page_count),
                 (select freelist_count from pragma_freelist_count),
                 (select page_size from pragma_page_size), (select count(*) from dead_letter)"""
        )
        return Stats(
            first_seq=first or 0,
            last_seq=max(last or 0, trimmed),
            first_us=first_us or 0,
            last_us=last_us or 0,
            trimmed_upto=trimmed,
            indexed_upto=indexed,
            low_water=low or 0,
            file_bytes=pages * size,
            used_bytes=(pages - free) * size,
            dead_letters=dead,
        )

    async def _all(self, sql: str, **values: Value) -> list[Row]:
        try:
            return [tuple(row) for row in await self._db.execute_fetchall(sql, values)]
        except sqlite3.Error as trouble:
            raise JournalError(f"{self._path} cannot be read: {trouble}.", path=str(self._path)) from trouble
        except ValueError as closed:
            raise JournalError("The journal is closed.", path=str(self._path)) from closed

    async def _indexed(self) -> int:
        ((indexed,),) = await self._all("select value from meta where key = 'indexed_upto'")
        return int(indexed)

    async def _select(
        self,
        columns: str,
        join: str,
        wanted: list[str],
        keys: list[int] | None,
        values: dict[str, Value],
        limit: int,
        newest_first: bool,
    ) -> list[Row]:
        """Rows of messages `m` that fit; with `keys` through the index, and by scanning above it.

        `indexed` is read first and both statements keep to it, so a row that is indexed in between is neither
        missed nor given twice.
        """
        direction = "desc" if newest_first else "asc"
        where = " and ".join(wanted)
        values = values | {"limit": limit}
        if keys is None:
            return await self._all(
                f"""select {columns} from message m {join} where {where}
                    order by m.seq {direction} limit :limit""",
                **values,
            )
        values |= {"keys": _json(keys), "indexed": await self._indexed()}
        index = f"""select {columns} from conversation_index i cross join message m on m.seq = i.seq {join}
            where i.conversation in (select value from json_each(:keys)) and i.seq <= :indexed
              and i.seq > :after and i.seq < :before and {where} order by i.seq {direction} limit :limit"""
        tail = f"""select {columns} from message m {join}
            where m.conversation in (select value from json_each(:keys)) and m.seq > :indexed
              and {where} order by m.seq {direction} limit :limit"""
        rows: list[Row] = []
        for part in (tail, index) if newest_first else (index, tail):
            if len(rows) < limit:
                rows += await self._all(part, **(values | {"limit": limit - len(rows)}))
        return rows

    async def _keys(self, agent: str) -> list[int]:
        rows = await self._all(
            """select key from participation where agent = :agent
               union select key from participant_log where agent = :agent""",
            agent=agent,
        )
        return [row[0] for row in rows]

    async def _few_keys(self, agent: str) -> list[int] | None:
        """The agent's conversations, None when they are so many that scanning is better."""
        rows = await self._all(
            """select key from (select key from participation where agent = :agent limit :limit)
               union select key from (select key from participant_log where agent = :agent limit :limit)""",
            agent=agent,
            limit=FEW + 1,
        )
        return None if len(rows) > FEW else [row[0] for row in rows]

    async def _range(
        self, after_seq: int, before_seq: int | None, since_us: int | None, until_us: int | None
    ) -> tuple[int, int]:
        after, before = after_seq, END if before_seq is None else before_seq
        if since_us is not None:
            after = max(after, await self._first_at(since_us) - 1)
        if until_us is not None:
            before = min(before, await self._first_at(until_us))
        return after, before

    async def _first_at(self, at_us: int) -> int:
        """The lowest number from which on no message is earlier than `at_us`."""
        ((low, high),) = await self._all(
            """select coalesce((select min(seq) from message), 1),
                 coalesce((select max(seq) from message), 0) + 1"""
        )
        while low < high:
            middle = (low + high) // 2
            rows = await self._all(
                "select seq, at_us from message where seq >= :seq order by seq limit 1", seq=middle
            )
            if rows and rows[0][1] < at_us:
                low = rows[0][0] + 1
            else:
                high = middle
        return int(low)

    async def _conversation_rows(self, keys: list[int] | None, before: int, limit: int) -> list[Row]:
        columns = "c.seq, c.key, c.id, c.at_us, c.initiator, c.protocol"
        if keys is None:
            return await self._all(
                f"""select {columns} from conversation c where c.seq < :before
                    order by c.seq desc limit :limit""",
                before=before,
                limit=limit,
            )
        if len(keys) > FEW:
            return await self._all(
                f"""select {columns} from conversation c where c.seq < :before
                      and c.key in (select value from json_each(:keys)) order by c.seq desc limit :limit""",
                before=before,
                limit=limit,
                keys=_json(keys),
            )
        return await self._all(
            f"""select {columns} from conversation c where c.seq in (
                  select seq from conversation_key where key in (select value from json_each(:keys))
                    and seq <= :indexed
                  union all
                  select seq from conversation where seq > :indexed
                    and key in (select value from json_each(:keys)))
                and c.seq < :before order by c.seq desc limit :limit""",
            before=before,
            limit=limit,
            keys=_json(keys),
            indexed=await self._indexed(),
        )

    async def _conversations(self, rows: list[Row]) -> list[StoredConversation]:
        """The rows with their counts and participants, without those that only repeat an earlier row."""
        if not rows:
            return []
        keys = _json([row[1] for row in rows])
        indexed = await self._indexed()
        firsts = await self._all(
            """select key, id, min(seq) from (
                 select c.key, c.id, c.seq from conversation_key k cross join conversation c on c.seq = k.seq
                   where k.key in (select value from json_each(:keys)) and k.seq <= :indexed
                 union all
                 select key, id, seq from conversation where seq > :indexed
                   and key in (select value from json_each(:keys)))
               group by key, id""",
            keys=keys,
            indexed=indexed,
        )
        first = {(row[0], row[1]): row[2] for row in firsts}
        sums = await self._all(
            """select n.conversation, sum(n.total), max(n.last) from (
                 select conversation, count(*) total, max(seq) last from conversation_index
                   where conversation in (select value from json_each(:keys)) and seq <= :indexed
                   group by conversation
                 union all
                 select conversation, count(*), max(seq) from message
                   where seq > :indexed and conversation in (select value from json_each(:keys))
                   group by conversation) n
               group by n.conversation""",
            keys=keys,
            indexed=indexed,
        )
        total = {row[0]: (row[1], row[2]) for row in sums}
        times = await self._all(
            "select seq, at_us from message where seq in (select value from json_each(:seqs))",
            seqs=_json([row[2] for row in sums]),
        )
        at_us: dict[int, int] = {row[0]: row[1] for row in times}
        names = await self._all(
            """select key, agent from participant where key in (select value from json_each(:keys))
               union select key, agent from participant_log
                 where key in (select value from json_each(:keys))""",
            keys=keys,
        )
        participants: dict[int, list[str]] = {}
        for key, name in names:
            participants.setdefault(key, []).append(name)
        found: list[StoredConversation] = []
        for seq, key, name, started_us, initiator, protocol in rows:
            if first.get((key, name), seq) != seq:
                continue
            count, last = total.get(key, (0, seq))
            found.append(
                StoredConversation(
                    id=name,
                    key=key,
                    first_seq=seq,
                    last_seq=last,
                    initiator=initiator,
                    protocol=protocol,
                    started_us=started_us,
                    last_us=at_us.get(last, started_us),
                    messages=count,
                    participants=sorted(participants.get(key, [])),
                )
            )
        return found


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(numbers).decode()


def _streamed(row: Row) -> StoredMessage | StoredEvent:
    seq, at_us, conversation, kind, agent, _, body, is_event = row
    if is_event:
        return StoredEvent(seq, at_us, kind, agent, conversation, body)
    return StoredMessage(*row[:-1])
