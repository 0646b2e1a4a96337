"""Reading the journal: messages, turns, conversations, events, and what the registry wrote.

In: a number range, a time range, a conversation, an agent. Out: frozen rows (rows.py). One aiosqlite
connection that cannot write. Ranges leave out both ends: `after_seq < seq < before_seq`. Times are
`since_us <= at_us < until_us` and are found by bisection over `seq`, because the bus stamps times that
never go back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from caxton.ids import conversation_key
from caxton.journal.read import conversations
from caxton.journal.records import approvals, dead_letters, holds, put_backs, verdicts
from caxton.journal.records.batch import ClientKey
from caxton.journal.records.query import END, Query, Row, Value, numbers
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO
from caxton.journal.records.registry_rows import (
    AgentRow,
    DeploymentRow,
    DirectoryRow,
    RevisionRow,
    SnapshotRow,
    TaskRow,
)
from caxton.journal.records.rows import (
    Stats,
    StoredConversation,
    StoredEvent,
    StoredMessage,
    StoredTurn,
)
from caxton.journal.retention.spared import MOMENTS

_MESSAGE = "m.seq, m.at_us, m.conversation, m.cause, m.hops, m.flags, m.body"
_EVENT = "seq, at_us, kind, agent, conversation, body"
_TURN = f"""t.id >> {AGENT_BITS}, t.id & {MAX_AGENT_NO}, a.name, t.revision_no, t.started_us, t.queue_us,
t.turn_us,
  t.fuel, t.sent, t.status"""
_TASK = "seq, id, protocol, state, outcome, ending, reason, wanted, created_us, updated_us, upto"
_OF_MESSAGE = f"t.id >= (m.seq << {AGENT_BITS}) and t.id < ((m.seq + 1) << {AGENT_BITS})"
_JSON = "cast(m.body as text)"
_BY_AGENT = f"""({_JSON}->>'sender' = :agent
  or exists (select 1 from json_each({_JSON}, '$.receiver') where value = :agent))"""


class Reader:
    """Answers questions about the journal; every method is one or a few short statements."""

    def __init__(self, query: Query) -> None:
        self._query = query

    @classmethod
    async def open(cls, path: Path, *, alone: bool = False) -> Reader:
        """Open a connection that can only read. The caller closes it, else its thread keeps the process
        alive. `alone`: no daemon may have the file."""
        return cls(await Query.open(path, alone=alone))

    async def close(self) -> None:
        """Close the connection and end its thread."""
        await self._query.close()

    async def message(self, seq: int) -> StoredMessage | None:
        """The message with that number, None where there is none (any more)."""
        rows = await self._query.all(f"select {_MESSAGE} from message m where m.seq = :seq", seq=seq)
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
        after, before = await self._query.range(after_seq, before_seq, since_us, until_us)
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
            keys = await self._query.few_keys(agent)
        values: dict[str, Value] = {
            "after": after,
            "before": before,
            "performative": performative,
            "agent": agent,
            "conversation": conversation,
        }
        rows = await self._query.select(_MESSAGE, "", wanted, keys, values, limit, newest_first)
        return [StoredMessage(*row) for row in rows]

    async def said(self, causes: Sequence[int], most: int) -> list[StoredMessage]:
        """What was said in the turns about these messages, `most` of it at the most, in order; by scanning from the
        first of them on, until so many are found."""
        rows = await self._query.all(
            f"""select {_MESSAGE} from message m where m.seq > :first
                  and m.cause in (select value from json_each(:causes)) order by m.seq limit :most""",
            first=min(causes, default=0),
            causes=numbers(causes),
            most=most,
        )
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
        """Turns in the order of their messages: of a conversation, of these messages, of an agent, or all. Those that
        put a message back come before the one that did not."""
        before = END if before_seq is None else before_seq
        direction = "desc" if newest_first else "asc"
        values: dict[str, Value] = {"after": after_seq, "before": before, "agent": agent, "limit": limit}
        wanted = ["m.seq > :after", "m.seq < :before"]
        keys: list[int] | None = None
        if conversation is not None:
            wanted.append(f"{_JSON}->>'conversation_id' = :conversation")
            values["conversation"] = conversation
            keys = [conversation_key(conversation)]
        elif (
            seqs is None
            and agent is not None
            and not await self._query.all("select 1 from publication limit 1")
        ):
            # whoever has few conversations may have had its last turn long ago; what is said to topics is in no one's
            keys = await self._query.few_keys(agent)
        if seqs is not None:
            wanted.append("m.seq in (select value from json_each(:seqs))")
            values["seqs"] = numbers(list(seqs))
        by = "" if agent is None else " and {} = (select no from agent where name = :agent)"
        if keys is not None or seqs is not None:
            join = f"cross join turn t on {_OF_MESSAGE} left join agent a on a.no = t.id & {MAX_AGENT_NO}"
            one = " and ".join(wanted) + by.format(f"t.id & {MAX_AGENT_NO}")
            rows = await self._query.select(_TURN, join, [one], keys, values, limit, newest_first)
        else:
            rows = await self._query.all(
                f"""select {_TURN} from turn t left join agent a on a.no = t.id & {MAX_AGENT_NO}
                    where t.id >= (:after + 1) << {AGENT_BITS} and t.id < :before << {AGENT_BITS}
                      {by.format(f"t.id & {MAX_AGENT_NO}")} order by t.id {direction} limit :limit""",
                **values,
            )
        found = [StoredTurn(*row) for row in rows]
        before_it = await put_backs.turns(
            self._query, " and ".join(wanted) + by.format("p.agent_no"), values, direction
        )
        if not before_it:
            return found
        both = [*found, *before_it] if newest_first else [*before_it, *found]
        return sorted(both, key=lambda turn: turn.seq, reverse=newest_first)[:limit]

    async def speakers(self, agent_no: int, limit: int = 100_000) -> dict[int, int]:
        """For the conversations of an agent's latest turns, by key: the number of the revision that had the last."""
        rows = await self._query.all(
            f"""select m.conversation, t.revision_no from turn t join message m on m.seq = t.id >> {AGENT_BITS}
                where t.id & {MAX_AGENT_NO} = :agent_no order by t.id desc limit :limit""",
            agent_no=agent_no,
            limit=limit,
        )
        found: dict[int, int] = {}
        for key, revision_no in rows:
            found.setdefault(key, revision_no)
        return found

    async def conversations(
        self, *, agent: str | None = None, before_seq: int | None = None, limit: int = 100
    ) -> list[StoredConversation]:
        """Conversations (of an agent) whose first number is below `before_seq`, newest first."""
        return await conversations.latest(self._query, agent=agent, before_seq=before_seq, limit=limit)

    async def conversation(self, conversation_id: str) -> StoredConversation | None:
        """The conversation with exactly that id, None where nothing of it is in the journal."""
        return await conversations.exact(self._query, conversation_id)

    async def stream(self, after_seq: int, limit: int = 1000) -> list[StoredMessage | StoredEvent]:
        """Messages and events above `after_seq`, merged by number, from one moment: without a gap."""
        rows = await self._query.all(
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
        rows = await self._query.all(
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
        self,
        *,
        seq: int | None = None,
        agent: str | None = None,
        code: str | None = None,
        waiting: bool = False,
        before_seq: int | None = None,
        limit: int = 100,
    ) -> list[dead_letters.StoredDeadLetter]:
        """Dead letters that fit all that is given, newest first; `waiting`: nobody did anything about them yet."""
        return await dead_letters.dead_letters(
            self._query,
            seq=seq,
            agent=agent,
            code=code,
            waiting=waiting,
            before_seq=before_seq,
            limit=limit,
        )

    async def marks(self, seqs: Sequence[int]) -> list[verdicts.Mark]:
        """What the referee said of these messages, where it said anything."""
        return await verdicts.marks(self._query, seqs)

    async def violations(self, keys: Sequence[int]) -> dict[int, int]:
        """How many violations there are in each of these conversations, by key."""
        return await verdicts.violations(self._query, keys)

    async def states(self, ids: Sequence[str]) -> dict[str, verdicts.StoredState]:
        """The states of these conversations as the referee wrote them last, by id."""
        return await verdicts.states(self._query, ids)

    async def latest_states(self, complete: int) -> list[verdicts.StoredState]:
        """Every open conversation's state and those of so many complete ones, the latest change last."""
        return await verdicts.latest_states(self._query, complete)

    async def held_now(self) -> list[holds.StoredHeld]:
        """Everything that is held, in order."""
        return await holds.held_now(self._query)

    async def held(self, seqs: Sequence[int]) -> list[holds.StoredHeld]:
        """What was held under these numbers, whatever became of it."""
        return await holds.held(self._query, seqs)

    async def held_before(self, went_on: Sequence[int]) -> list[holds.StoredHeld]:
        """What these messages were while they were held."""
        return await holds.held_before(self._query, went_on)

    async def stops(
        self, after_seq: int = 0, conversation: str | None = None
    ) -> dict[str, list[tuple[int, int]]]:
        """From when to when messages were held, by conversation; of those that went on, as one above `after_seq`."""
        key = conversation_key(conversation) if conversation is not None else None
        return await holds.stops(self._query, after_seq, key)

    async def break_points(self) -> list[tuple[str, str]]:
        """Break points by id, each with its JSON object."""
        return await holds.break_points(self._query)

    async def approval_steps(self, held: Sequence[int]) -> list[approvals.ApprovalStep]:
        """What was done about the messages that needed a yes under these numbers, in order."""
        return await approvals.steps_of(self._query, held)

    async def latest_approval_steps(
        self, before_seq: int | None = None, limit: int = 100
    ) -> list[approvals.ApprovalStep]:
        """What was done about any of them, the newest first."""
        return await approvals.latest_steps(self._query, before_seq, limit)

    async def agents(self) -> list[AgentRow]:
        """Every agent that the registry wrote, by number."""
        rows = await self._query.all(
            "select no, name, state, revision_no, config, created_us, updated_us from agent order by no"
        )
        return [AgentRow(*row) for row in rows]

    async def revisions(self) -> list[RevisionRow]:
        """Every revision, by number."""
        rows = await self._query.all(
            "select no, sha256, profile, size, path, created_us from revision order by no"
        )
        return [RevisionRow(*row) for row in rows]

    async def deployments(
        self, *, agent_no: int | None = None, before: str | None = None, limit: int = 100
    ) -> list[DeploymentRow]:
        """Deployments of an agent or of all whose ids are below `before`, newest first."""
        rows = await self._query.all(
            """select id, agent_no, revision_no, previous_no, strategy, state, reason, created_us,
                 updated_us, detail from deployment where (:agent_no is null or agent_no = :agent_no)
                 and (:before is null or id < :before)
               order by id desc limit :limit""",
            agent_no=agent_no,
            before=before,
            limit=limit,
        )
        return [DeploymentRow(*row) for row in rows]

    async def snapshot(self, agent_no: int) -> SnapshotRow | None:
        """The latest snapshot of an agent."""
        found = await self.snapshots(agent_no, limit=1)
        return found[0] if found else None

    async def snapshots(
        self, agent_no: int, *, before_seq: int | None = None, limit: int = 100
    ) -> list[SnapshotRow]:
        """An agent's snapshots and the moments at which its memory began, newest first."""
        rows = await self._query.all(
            """select agent_no, seq, at_us, revision_no, data, kind, number from snapshot
               where agent_no = :no and seq < :before order by seq desc, rowid desc limit :limit""",
            no=agent_no,
            before=END if before_seq is None else before_seq,
            limit=limit,
        )
        return [SnapshotRow(*row) for row in rows]

    async def latest_snapshots(self) -> dict[int, SnapshotRow]:
        """The latest snapshot of every agent, by the agent's number."""
        rows = await self._query.all(
            """select s.agent_no, s.seq, s.at_us, s.revision_no, s.data, s.kind, s.number from snapshot s
               join (select agent_no, max(seq) seq from snapshot group by agent_no) l
                 on l.agent_no = s.agent_no and l.seq = s.seq order by s.rowid"""
        )
        return {row[0]: SnapshotRow(*row) for row in rows}

    async def memory_since(self, agents: Collection[int]) -> dict[int, int]:
        """By agent: every turn after this number that its memory is made from is here."""
        rows = await self._query.all(
            f"""select l.value, max((select value from meta where key = 'forgot_upto'),
                  min((select value from meta where key = 'trimmed_upto'), coalesce(m.seq, {END})))
                from json_each(:agents) l left join ({MOMENTS}) m on m.no = l.value""",
            agents=numbers(sorted(agents)),
        )
        return dict(rows)

    async def own_turns(self, agents: Collection[int]) -> dict[tuple[int, str], dict[int, bool]]:
        """By agent and deployment, and by message: the turns that the revision which it brought remembers or not,
        whatever their rows say (revision_memory.py)."""
        rows = await self._query.all(
            """select agent_no, deployment, seq, held from own_turn
               where agent_no in (select value from json_each(:agents))""",
            agents=numbers(sorted(agents)),
        )
        found: dict[tuple[int, str], dict[int, bool]] = {}
        for agent_no, deployment, seq, held in rows:
            found.setdefault((agent_no, deployment), {})[seq] = bool(held)
        return found

    async def brought_by(self) -> dict[int, str]:
        """By agent, the deployment that brought the revision that the agent is."""
        rows = await self._query.all(
            """select agent_no, max(id) from deployment where state in ('draining', 'running')
               and not coalesce(json_extract(detail, '$.unchanged'), 0) group by agent_no"""
        )
        return {row[0]: row[1] for row in rows}

    async def tasks(
        self, *, before_seq: int | None = None, under_way: bool = False, limit: int = 100
    ) -> list[TaskRow]:
        """Tasks that began below `before_seq`, newest first; `under_way`: only those that have not ended."""
        rows = await self._query.all(
            f"""select {_TASK} from task where seq < :before and (not :under_way or upto = 0)
                order by seq desc limit :limit""",
            before=END if before_seq is None else before_seq,
            under_way=int(under_way),
            limit=limit,
        )
        return [TaskRow(*row) for row in rows]

    async def task(self, id: str) -> TaskRow | None:
        """The task with that id."""
        rows = await self._query.all(f"select {_TASK} from task where id = :id", id=id)
        return TaskRow(*rows[0]) if rows else None

    async def directory(self, kind: str) -> list[DirectoryRow]:
        """What is registered of that kind, the oldest first."""
        rows = await self._query.all(
            """select kind, key, at_us, expires_us, body from directory where kind = :kind
               order by at_us, key""",
            kind=kind,
        )
        return [DirectoryRow(*row) for row in rows]

    async def places(self, agent_no: int, seqs: Collection[int]) -> dict[int, int]:
        """The places of an agent's turns on those messages, where they are not the messages' numbers."""
        rows = await self._query.all(
            """select seq, place from turn_place
               where agent_no = :agent_no and seq in (select value from json_each(:seqs))""",
            agent_no=agent_no,
            seqs=numbers(sorted(seqs)),
        )
        return dict(rows)

    async def last_places(self) -> dict[int, int]:
        """By agent, the last place that may not be its message's number."""
        return dict(
            await self._query.all(
                """select agent_no, max(place) from (select agent_no, place from turn_place
                     union all select agent_no, place from put_back) group by agent_no"""
            )
        )

    async def put_back(self) -> list[put_backs.StoredPutBack]:
        """Messages that agents have put back and not handled."""
        return await put_backs.unfinished(self._query)

    async def pins(self) -> list[tuple[str, int]]:
        """Pinned conversations with the time at which each was pinned, the newest first."""
        rows = await self._query.all("select id, at_us from pin order by at_us desc, id")
        return [(str(id), int(at_us)) for id, at_us in rows]

    async def client_key(self, beginning: str) -> ClientKey | None:
        """The idempotency key that begins so, with the number of the message that it stands for."""
        rows = await self._query.all(
            "select key, seq, at_us from client_key where key >= :key and key < :key || '~' order by key limit 1",
            key=beginning,
        )
        return ClientKey(*rows[0]) if rows else None

    async def outlived(self, key: str) -> StoredMessage | None:
        """The message that an idempotency key stands for, without its content, where retention has removed it."""
        rows = await self._query.all(
            "select seq, at_us, 0, 0, 0, 0, body from client_key where key = :key and body is not null",
            key=key,
        )
        return StoredMessage(*rows[0]) if rows else None

    async def meta(self, key: str) -> int | str | None:
        """One named value, as `Meta` wrote it."""
        rows = await self._query.all("select value from meta where key = :key", key=key)
        value: int | str | None = rows[0][0] if rows else None
        return value

    async def stats(self) -> Stats:
        """How far the journal reaches, without counting rows."""
        (
            (first, last, first_us, last_us, trimmed, indexed, low, pages, free, size, dead),
        ) = await self._query.all(
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


def _streamed(row: Row) -> StoredMessage | StoredEvent:
    seq, at_us, conversation, kind, agent, _, body, is_event = row
    if is_event:
        return StoredEvent(seq, at_us, kind, agent, conversation, body)
    return StoredMessage(*row[:-1])
