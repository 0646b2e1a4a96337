"""Histograms and counts from committed rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.clock import SystemClock
from caxton.journal import Journal
from caxton.telemetry.row_meters import CROWDED, EVERY, RowMeters


@pytest.mark.parametrize("many", [0, 1, CROWDED - 1, CROWDED, CROWDED + EVERY - 1, 3 * CROWDED])
async def test_every_turn_is_counted_whatever_the_batch(tmp_path: Path, many: int) -> None:
    async with await Journal.open(tmp_path, SystemClock()) as journal:
        meters = RowMeters(journal)
        for seq in range(1, many + 1):
            journal.batch.turns.append((seq, 1, 1, 1, 1_000, 300, 7, 1, 0, 0))
        journal.batch.event(many + 1, 1, "agent", "echo@local", None, b'{"what":"started"}')
        await journal.written()
        for histogram, us in ((meters.turns, 300), (meters.queues, 1_000), (meters.hops, 1_300)):
            reading = histogram.reading()
            assert sum(reading.counts) == many
            assert reading.total == pytest.approx(many * us / 1e6)
            assert [bound for bound, in_it in zip(reading.bounds, reading.counts, strict=False) if in_it] == (
                [((1 << us.bit_length()) - 1) / 1e6] if many else []
            )
        assert meters.agent_events == {"started": 1}
        assert sum(meters.commits.reading().counts) >= 1
