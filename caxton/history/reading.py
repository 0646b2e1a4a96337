"""Messages of a journal as the API shows them.

In: a journal's reader. Out: bodies with what became of each message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from caxton.api.rows import with_outcome
from caxton.errors import ConfigurationError, MessageNotFound
from caxton.ids import message_seq
from caxton.journal import Reader, StoredMessage
from caxton.journal.moment import open_journal
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import decoder

PAGE: Final = 1_000
_bodies = decoder(list[MessageBody])


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[Reader]:
    """A reader of that journal; ConfigurationError where there is none, JournalError for what is none."""
    await asyncio.to_thread(_check, path)
    reader = await Reader.open(path, alone=True)
    try:
        yield reader
    finally:
        await reader.close()


def _check(path: Path) -> None:
    if not path.is_file():
        raise ConfigurationError(
            f"there is no journal at {path}",
            hint="start the project (caxton up), or name a run that was kept",
        )
    open_journal(path).close()


async def bodies(reader: Reader, rows: Sequence[StoredMessage]) -> list[MessageBody]:
    """Messages with their turns, verdicts and dead letters."""
    return _bodies.decode(msgspec.json.encode(await with_outcome(reader, rows)))


async def find(reader: Reader, message: str) -> StoredMessage:
    """The message of that number or id; MessageNotFound where there is none."""
    seq = int(message) if message.isascii() and message.isdecimal() else message_seq(message)
    row = await reader.message(seq) if seq is not None and 0 < seq < 1 << 43 else None
    if row is None or (not message.isdecimal() and message.encode() not in row.body):
        raise MessageNotFound(
            f"there is no message {message[:64]!r}", hint="numbers are those of caxton conv show"
        )
    return row
