"""What the API says of the journal. See `shapes`."""

from __future__ import annotations

from datetime import datetime

from caxton.schemas.shape import Shape


class NeededBody(Shape, frozen=True, kw_only=True):
    """Rows that stay beyond their time, and about how many bytes they take."""

    rows: int
    bytes: int


class OfAgentBody(Shape, frozen=True, kw_only=True):
    """What stays for one agent; `agent` is null where it was removed just now."""

    agent: str | None
    state: str | None
    rows: int
    bytes: int


class JournalDetail(Shape, frozen=True, kw_only=True):
    """The journal, and what keeps it from shrinking. `counted_bytes` is what `keep_mib` bounds: what is used, without
    what stays for pins, memories and mailboxes. `oldest_unfinished` is the number of the oldest message that waits or
    is held; `unfinished` are those that stay, though others of their age have gone or may go, until their agents have
    handled them. `clock_doubt` says why nothing is removed for its age. `checked_pages` of `pages` were compared with
    their checksums at the start.
    """

    first_seq: int | None
    last_seq: int
    first_at: datetime | None
    removed_upto: int
    file_bytes: int
    used_bytes: int
    counted_bytes: int
    keep_days: int
    keep_mib: int
    memory_mib: int
    keys_days: int
    oldest_unfinished: int | None
    pinned: NeededBody
    memories: list[OfAgentBody]
    unfinished: list[OfAgentBody]
    clock_doubt: str | None
    pages: int
    checked_pages: int
    failed: str | None
    trouble: str | None
