"""Whether a journal is as it was written: every page, every frame of its log, and what is derived from its rows.

In: a project's state, with its daemon running or not. Out: what is wrong, and what that touches: messages,
conversations, agents. Nothing is changed. Of a running daemon's journal one moment is held, and checked as it is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from caxton.disk import translated
from caxton.errors import JournalDamaged, JournalError
from caxton.journal.files import Files
from caxton.journal.integrity import guard
from caxton.journal.pages.btree import MOST, Place, Trees
from caxton.journal.pages.page_check import Faults, Pages, Sums, pages_at_rest, pages_of
from caxton.journal.records.record import AGENT_BITS, MAX_AGENT_NO

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""
TRIES: Final = 3
"""What a running daemon writes at this moment does not fit for a moment."""
_NAMED: Final = 20
"""Conversations and agents that are named at the most."""

DERIVED: Final = {
    "messages that the index of conversations does not have": """select count(*) from message m
        where seq <= :indexed and not exists (select 1 from conversation_index i
          where i.conversation = m.conversation and i.seq = m.seq)""",
    "entries of the index of conversations without a message": """select count(*) from conversation_index i
        where not exists (select 1 from message m where m.seq = i.seq and m.conversation = i.conversation)""",
    "conversations that the index of their keys does not have": """select count(*) from conversation c
        where seq <= :indexed and not exists (select 1 from conversation_key k
          where k.key = c.key and k.seq = c.seq)""",
    "entries of the index of keys without a conversation": """select count(*) from conversation_key k
        where not exists (select 1 from conversation c where c.seq = k.seq and c.key = k.key)""",
    "participants that the index by agent does not have": """select count(*) from participant p
        where not exists (select 1 from participation q where q.agent = p.agent and q.key = p.key)""",
    "entries of the index by agent without a participant": """select count(*) from participation q
        where not exists (select 1 from participant p where p.agent = q.agent and p.key = q.key)""",
    "messages that are spared and not there": """select count(*) from spared s
        where not exists (select 1 from message m where m.seq = s.seq)""",
}
"""What is made from other rows, against those rows; each counts what is wrong."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `lost`: rows are, and not only what can be made again. `first_seq` to `last_seq`: the
    messages that it touches; at most twenty conversations and agents are named."""

    what: str
    page: int | None = None
    table: str | None = None
    lost: bool = False
    first_seq: int | None = None
    last_seq: int | None = None
    conversations: list[str] = []
    agents: list[str] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked and found."""

    running: bool
    """Whether a daemon wrote to it meanwhile."""
    pages: int
    log_pages: int
    findings: list[Finding]


def verify(state: Path, progress: Progress) -> Report:
    """Check all of it. Raises JournalDamaged for what no daemon would open, JournalError where there is no journal."""
    files = Files(state)
    if not files.db.exists() and not files.install.exists():
        raise JournalError(f"there is no journal in {state}", hint="start the project first: caxton up")
    with translated(state), at_rest(files) as resting:
        report = _verify(files, progress, running=not resting)
        if resting and not any(one.page for one in report.findings):
            guard.identify(files)
        return report


@contextmanager
def at_rest(files: Files) -> Generator[bool]:
    """Whether no daemon has the journal; then none gets it before the end."""
    try:
        lock = guard.take_lock(files)
    except JournalError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(lock)


def _verify(files: Files, progress: Progress, *, running: bool, tries: int = TRIES) -> Report:
    held = partial(pages_of, live=True) if running else pages_at_rest
    with held(files.db, files.sums) as (pages, there):
        sums = compared(files, there)
        findings = log_findings(files, pages, sums)
        faults = checked(files, pages, sums, progress)
        again = bool(faults.pages) and running and tries > 1
        if not again:
            findings += page_findings(files, pages, faults)
    if again:
        # a daemon that runs may have changed a page between the two readings; one that is damaged stays so
        time.sleep(1)
        return _verify(files, progress, running=running, tries=tries - 1)
    if not faults.pages:
        findings += _contents(files, progress)
    return Report(running=running, pages=pages.count, log_pages=pages.frames, findings=findings)


def compared(files: Files, sums: Sums | None) -> Sums:
    """The sums, where there are some and they are those of this journal; raises JournalDamaged."""
    if sums is None:
        raise JournalDamaged(
            f"{files.sums} is missing or damaged, so nothing can be compared",
            hint="caxton up makes it again, where all else is sound.",
        )
    return sums


def checked(files: Files, pages: Pages, sums: Sums, progress: Progress) -> Faults:
    """What of all pages does not fit its sum; raises JournalDamaged where one of the files is another one."""
    faults = pages.check(sums, range(1, pages.count + 1), lambda done, of: progress("pages", done, of))
    if guard.not_of_one_time(pages.count, faults):
        guard.identify(files)
        raise JournalDamaged(
            f"{files.db} and {files.sums.name} are not of one time: {len(faults.pages):,} pages do not fit",
            hint=f"Put back both as they belong together; where {files.db.name} is the right one, delete {files.sums}.",
        )
    return faults


def log_findings(files: Files, pages: Pages, sums: Sums) -> list[Finding]:
    """What is wrong with the write-ahead log."""
    cut = pages.cut(sums.known)
    return [] if cut is None else [Finding(what=f"{files.log.name} {cut}", lost=True)]


def page_findings(files: Files, pages: Pages, faults: Faults) -> list[Finding]:
    """What the pages that do not fit their sums hold."""
    findings = [
        Finding(what=f"the checksum of page {page:,} has changed, the page has not", page=page)
        for page in faults.sums
    ]
    if faults.pages:
        trees = None if 1 in faults.pages else Trees(pages.page, pages.count, faults.pages)
        with closing(sqlite3.connect(f"{files.db.absolute().as_uri()}?mode=ro", uri=True)) as db:
            findings += [_placed(page, trees, db) for page in faults.pages]
    return findings


def _placed(page: int, trees: Trees | None, db: sqlite3.Connection) -> Finding:
    place = None if trees is None else trees.place(page)
    if trees is None or place is None:
        return Finding(what=f"page {page:,} is damaged; what was on it is not known", page=page, lost=True)
    table = place.table
    if table is None or table.of_index:
        what = "holds nothing that is read" if table is None else f"is of an index of the table {table.name}"
        return Finding(what=f"page {page:,} is damaged; it {what}", page=page, table=table and table.name)
    first, last = _numbers(place)
    names = _Names(db)
    with suppress(sqlite3.DatabaseError):
        names.touched(table.name, first, last)
    for row in trees.rows(page, damaged=True):
        with suppress(sqlite3.DatabaseError, LookupError, TypeError):
            names.of_row(table.name, row.values)
    return Finding(
        what=f"page {page:,} is damaged; it is of the table {table.name}",
        page=page,
        table=table.name,
        lost=True,
        first_seq=first,
        last_seq=last,
        conversations=sorted(names.conversations)[:_NAMED],
        agents=sorted(names.agents)[:_NAMED],
    )


def _numbers(place: Place) -> tuple[int | None, int | None]:
    """The numbers of messages and events that a page is about."""
    assert place.table is not None
    shift = {"message": 0, "event": 0, "conversation": 0, "turn": AGENT_BITS}.get(place.table.name)
    if shift is None:
        return None, None
    first = max(1, (place.above + 1) >> shift) if place.above > 0 else 1
    return first, None if place.upto == MOST else place.upto >> shift


class _Names:
    """Conversations and agents that damage touches, as far as sound rows say."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.conversations: set[str] = set()
        self.agents: set[str] = set()
        self._db = db

    def touched(self, table: str, first: int | None, last: int | None) -> None:
        """What belongs to those numbers."""
        if first is None or table == "event":
            return
        last = first + 10_000 if last is None else last
        keys = self._db.execute(
            "select distinct conversation from conversation_index where seq >= ? and seq <= ? limit 1000",
            (first, last),
        ).fetchall()
        for (key,) in keys:
            self._conversation(key)
        agents = self._db.execute(
            f"""select distinct a.name from turn t join agent a on a.no = t.id & {MAX_AGENT_NO}
                where t.id >= ? and t.id < ?""",
            (first << AGENT_BITS, (last + 1) << AGENT_BITS),
        )
        self.agents.update(name for (name,) in agents)

    def of_row(self, table: str, values: Sequence[object]) -> None:
        """What a row on the page itself says."""
        match table:
            case "message":
                self._conversation(values[2])
            case "conversation":
                self.conversations.add(str(values[2]))
            case "snapshot" | "own_turn":
                self._agent(values[0])
            case "deployment":
                self._agent(values[1])
            case "agent":
                self.agents.add(str(values[1]))
            case _:
                pass

    def _conversation(self, key: object) -> None:
        for (name,) in self._db.execute(
            """select c.id from conversation_key k join conversation c on c.seq = k.seq where k.key = ?
               union select id from conversation_state where conversation = ?""",
            (key, key),
        ):
            self.conversations.add(name)
        for (name,) in self._db.execute("select agent from participant where key = ?", (key,)):
            self.agents.add(name)

    def _agent(self, number: object) -> None:
        for (name,) in self._db.execute("select name from agent where no = ?", (number,)):
            self.agents.add(name)


def _contents(files: Files, progress: Progress) -> list[Finding]:
    """What does not fit together, though every byte is as it was written."""
    findings: list[Finding] = []
    with closing(sqlite3.connect(f"{files.db.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.execute("begin")
        progress("structure", 0, 1)
        for (found,) in db.execute("pragma integrity_check(20)"):
            if found != "ok":
                findings.append(Finding(what=" ".join(str(found).split()), lost=True))
        (indexed,) = db.execute("select value from meta where key = 'indexed_upto'").fetchone()
        for done, (what, question) in enumerate(DERIVED.items()):
            progress("derived tables", done, len(DERIVED))
            (count,) = db.execute(question, {"indexed": indexed}).fetchone()
            if count:
                findings.append(Finding(what=f"{count:,} {what}"))
    return findings
