"""Messages that an agent still has to handle, though others of their age go: each stays by itself.

In: the numbers above the low-water mark, a chunk at a time, when a message that waits holds that back. Out: a row of
`spared` for each agent that has no turn on a message yet, and `settled_upto` in meta: up to there, whatever has no such
row is finished. So retention goes on behind a message that waits, and a start looks at these rows and at what is above
the mark.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from caxton.journal.records.batch import HANDLED
from caxton.journal.records.record import AGENT_BITS

UNFINISHED: Final = 3
"""Spared because an agent has not handled it; the owner is the agent's number (see spared.py)."""
_NO_TURN = f"not exists (select 1 from turn t where t.id = w.seq << {AGENT_BITS} | a.no)"
_NO_DEAD_LETTER = "not exists (select 1 from dead_letter d where d.seq = w.seq and d.agent = a.name)"
WAITING: Final = f"""select {UNFINISHED}, a.no, w.seq, w.size from (
      select m.seq, length(m.body) + :row size, (select no from agent where name = r.value) no
        from message m, json_each(cast(m.body as text), '$.receiver') r
        where m.seq > :start and m.seq <= :upto and m.flags & {HANDLED} = 0
      union all
      select m.seq, length(m.body) + :row, r.value
        from publication p join message m on m.seq = p.seq, json_each(p.agents) r
        where p.seq > :start and p.seq <= :upto and m.flags & {HANDLED} = 0) w
    join agent a on a.no = w.no
    where a.state <> 'removed' and {_NO_TURN} and {_NO_DEAD_LETTER}"""
"""Who has not handled which of the messages in (start, upto]; the same that recovery.py finds, but for agents only."""
FINISHED: Final = f"""(exists (select 1 from turn t where t.id = s.seq << {AGENT_BITS} | s.owner)
    or not exists (select 1 from agent a where a.no = s.owner and a.state <> 'removed')
    or exists (select 1 from agent a join dead_letter d on d.agent = a.name
               where a.no = s.owner and d.seq = s.seq))"""
"""Of a row `s` of spared: whether its agent has handled it since, or does not have to any more."""


def unfinished(db: sqlite3.Connection) -> None:
    """The mark; versions before do not know what such a row of `spared` means, and must not open the file."""
    db.execute("insert into meta values ('settled_upto', 0)")
