"""Wakes the loop when something is saved. What changed is found by comparing fingerprints (`fingerprints.py`).

In: folders that hold sources. Out: `changed()`, which returns once files there have been quiet for `debounce_ms` after
a change, or after a second without news, for file systems that tell nothing. Folders are watched one by one and not
through: below a project lies `.caxton`, whose journal changes all the time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] - names trio, which is not installed

LONGEST_MS: Final = 1_000
"""A folder that is never quiet wakes the loop all the same."""
IDLE_MS: Final = 1_000
MOST_FOLDERS: Final = 2_000
"""More would eat up what a user may watch; the rest is looked at once a second only."""


class FolderWatcher:
    """The folders that are watched; `follow` changes them."""

    def __init__(self, debounce_ms: int) -> None:
        self._debounce_ms = debounce_ms
        self._folders: frozenset[Path] = frozenset()
        self._polling = False
        """Whether the system has no notifications left for us; then files are compared once a second."""
        self._news = asyncio.Event()
        self._others = asyncio.Event()
        """Set when other folders are wanted than those that are watched."""

    @property
    def folders(self) -> int:
        """How many folders are watched."""
        return len(self._folders)

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these from now on."""
        wanted = frozenset(sorted({folder for folder in folders if folder.is_dir()})[:MOST_FOLDERS])
        if wanted != self._folders:
            self._folders = wanted
            self._others.set()

    async def changed(self) -> None:
        """Return when something may have changed since the last call."""
        await self._news.wait()
        self._news.clear()

    def wake(self) -> None:
        """Have `changed` return: there is something to do that no file tells of."""
        self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._others.clear()
            if not self._folders:
                await self._others.wait()
                continue
            # the stop event is asked between two looks, so that nobody waits for the thread that looks
            stop = self._others
            try:
                async for _ in awatch(
                    *self._folders,
                    watch_filter=None,
                    debounce=LONGEST_MS,
                    step=self._debounce_ms,
                    stop_event=stop,
                    rust_timeout=IDLE_MS,
                    yield_on_timeout=True,
                    recursive=False,
                    force_polling=self._polling or None,
                    ignore_permission_denied=True,
                ):
                    self._news.set()
            except FileNotFoundError:
                # a folder went away between the look and the watch
                self._folders = frozenset(folder for folder in self._folders if folder.is_dir())
            except OSError:
                # the user's bound on watches, usually
                if self._polling:
                    raise
                self._polling = True
            except asyncio.CancelledError:
                stop.set()
                raise
            self._news.set()


@asynccontextmanager
async def watching(debounce_ms: int) -> AsyncGenerator[FolderWatcher]:
    """A watch for as long as this lasts."""
    watch = FolderWatcher(debounce_ms)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run(), name="watch")
        try:
            yield watch
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
