"""What was spent on models, as rows: the same after a restart.

In: places and what was spent in them. Out: rows in the batch of the answer; the sums that were there at the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from caxton.effects.models.budgets import CONVERSATION, KEPT, REPLAY, TURN, Budgets, Place, Spent
from caxton.journal import DirectoryRow, Journal, Reader

KIND: Final = "model_usage"
_encode = msgspec.json.Encoder().encode


class Ledger:
    """The rows of a project's budgets; those of turns and of replays are not kept over a restart."""

    def __init__(self, journal: Journal, budgets: Budgets) -> None:
        self._journal = journal
        self._budgets = budgets
        self._conversations: dict[str, None] = {}

    async def load(self, reader: Reader) -> None:
        """Read what was spent before."""
        for row in sorted(await reader.directory(KIND), key=lambda row: row.at_us):
            assert row.body is not None
            scope, _, name = row.key.partition(" ")
            self._budgets.spent[scope, name] = msgspec.json.decode(row.body, type=Spent)
            if scope == CONVERSATION:
                self._conversations[name] = None

    def write(self, places: Iterable[Place], now_us: int) -> None:
        """Write down what was spent in these places by now."""
        for scope, name in places:
            if scope in (TURN, REPLAY):
                continue
            body = _encode(self._budgets.spent[scope, name]).decode()
            self._row(f"{scope} {name}", now_us, body)
            if scope == CONVERSATION:
                self._conversations.pop(name, None)
                self._conversations[name] = None
                if len(self._conversations) > KEPT[CONVERSATION]:
                    oldest = next(iter(self._conversations))
                    del self._conversations[oldest]
                    self._row(f"{scope} {oldest}", now_us, None)

    def _row(self, key: str, now_us: int, body: str | None) -> None:
        self._journal.batch.records.append(DirectoryRow(KIND, key, now_us, None, body))
