"""Conversations as readers see them: their rows with counts, times and participants.

In: the row that the bus appended when a conversation began, perhaps twice when it forgot the conversation
in between (after a restart). Out: one value a conversation, the earliest row of an id counts.
"""

from __future__ import annotations

from typing import Final

from caxton.ids import conversation_key
from caxton.journal.records.query import END, Query, Row, numbers
from caxton.journal.records.rows import StoredConversation

FEW: Final = 10_000
"""Of an agent with more conversations the newest are soon found among everybody's."""


async def latest(
    query: Query, *, agent: str | None = None, before_seq: int | None = None, limit: int = 100
) -> list[StoredConversation]:
    """Conversations whose first number is below `before_seq`, newest first."""
    found: list[StoredConversation] = []
    before = END if before_seq is None else before_seq
    keys = None if agent is None else await query.few_keys(agent, FEW)
    while len(found) < limit:
        rows = await _rows(query, agent, keys, before, limit)
        found += await _complete(query, rows)
        if len(rows) < limit:
            break
        before = int(rows[-1][0])
    return found[:limit]


async def exact(query: Query, conversation_id: str) -> StoredConversation | None:
    """The conversation with exactly that id, None where nothing of it is in the journal."""
    indexed = await query.indexed()
    rows = await query.all(
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
    found = await _complete(query, rows)
    return found[0] if found else None


async def _rows(
    query: Query, agent: str | None, keys: list[int] | None, before: int, limit: int
) -> list[Row]:
    columns = "c.seq, c.key, c.id, c.at_us, c.initiator, c.protocol"
    if keys is None:
        return await query.all(
            f"""select {columns} from conversation c where c.seq < :before and (:agent is null
                  or exists (select 1 from participation p where p.agent = :agent and p.key = c.key)
                  or c.key in (select key from participant_log where agent = :agent))
                order by c.seq desc limit :limit""",
            agent=agent,
            before=before,
            limit=limit,
        )
    return await query.all(
        f"""select {columns} from conversation c where c.seq in (
              select seq from conversation_key where key in (select value from json_each(:keys))
                and seq <= :indexed
              union all
              select seq from conversation where seq > :indexed
                and key in (select value from json_each(:keys)))
            and c.seq < :before order by c.seq desc limit :limit""",
        before=before,
        limit=limit,
        keys=numbers(keys),
        indexed=await query.indexed(),
    )


async def _complete(query: Query, rows: list[Row]) -> list[StoredConversation]:
    """The rows with their counts and participants, without those that only repeat an earlier row."""
    if not rows:
        return []
    keys = numbers([row[1] for row in rows])
    indexed = await query.indexed()
    firsts = await query.all(
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
    sums = await query.all(
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
    times = await query.all(
        "select seq, at_us from message where seq in (select value from json_each(:seqs))",
        seqs=numbers([row[2] for row in sums]),
    )
    at_us = {row[0]: row[1] for row in times}
    names = await query.all(
        """select key, agent from participant where key in (select value from json_each(:keys))
           union select key, agent from participant_log
             where key in (select value from json_each(:keys))""",
        keys=keys,
    )
    participants: dict[int, list[str]] = {}
    for key, name in names:
        participants.setdefault(key, []).append(name)
    parents = await _parents(query, [row[0] for row in rows], indexed)
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
                last_us=at_us.get(last, int(started_us)),
                messages=count,
                participants=sorted(participants.get(key, [])),
                parent=parents.get(seq),
            )
        )
    return found


async def _parents(query: Query, firsts: list[int], indexed: int) -> dict[int, str]:
    """By the numbers of first messages: the conversation on whose message an agent said them, where it is another."""
    rows = await query.all(
        """with said(first, key) as (
             select f.seq, p.conversation from message f join message p on p.seq = f.cause
               where f.seq in (select value from json_each(:firsts)) and p.conversation <> f.conversation)
           select first, id from (
             select s.first, c.id, c.seq from said s
               join conversation_key k on k.key = s.key and k.seq <= :indexed join conversation c on c.seq = k.seq
             union all
             select s.first, c.id, c.seq from said s join conversation c on c.key = s.key and c.seq > :indexed)
           order by seq desc""",
        firsts=numbers(firsts),
        indexed=indexed,
    )
    # the earliest row of a conversation counts
    return dict(rows)
