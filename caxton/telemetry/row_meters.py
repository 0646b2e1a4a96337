"""Histograms and counts that are made of committed rows, a batch at a time (decision 5).

In: the journal's commits. Out: readings. A value goes into the bucket of its number of bits, so that a whole batch is
counted without a line of Python for each turn; the bounds are the powers of two less one microsecond, exactly. That
costs half a microsecond a turn, so of large batches, which come at full load, every eighth turn is looked at and counts
eight times: the number of turns is exact, their distribution is a sample's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import add, itemgetter
from typing import Final

import msgspec

from caxton.acl.message import trace_id_of
from caxton.journal import Batch, Event, Journal, Reader, TurnRow
from caxton.telemetry.metrics import Exemplar, HistogramReading

LEAST_BITS: Final = 4
MOST_BITS: Final = 26
"""Bounds from 15 µs to 67 s."""
BOUNDS: Final = tuple(((1 << bits) - 1) / 1e6 for bits in range(LEAST_BITS, MOST_BITS + 1))

CROWDED: Final = 512
"""Turns of a batch from which on only every `EVERY`th is looked at."""
EVERY: Final = 8

_SEQ, _QUEUE_US, _TURN_US = itemgetter(0), itemgetter(4), itemgetter(5)


class Histogram:
    """Microseconds by their number of bits."""

    __slots__ = ("_by_bits", "total_us")

    def __init__(self) -> None:
        self._by_bits: Counter[int] = Counter()
        self.total_us = 0

    def add(self, values: Iterable[int], total_us: int, weight: int = 1) -> None:
        """So many values more, each of which stands for `weight`; `total_us` is their sum."""
        bits = Counter(map(int.bit_length, values))
        for each, many in bits.items():
            self._by_bits[each] += many * weight
        self.total_us += total_us * weight

    def reading(self, exemplars: Mapping[int, Exemplar] | None = None) -> HistogramReading:
        """As it stands."""
        counts = [0] * (len(BOUNDS) + 1)
        for bits, many in self._by_bits.items():
            counts[bucket_of(bits)] += many
        return HistogramReading(BOUNDS, counts, self.total_us / 1e6, exemplars or {})


def bucket_of(bits: int) -> int:
    """The bucket of a number with so many bits."""
    return min(max(bits, LEAST_BITS), MOST_BITS + 1) - LEAST_BITS


class RowMeters:
    """What a daemon has committed since it started."""

    def __init__(self, journal: Journal) -> None:
        self.turns, self.queues, self.hops, self.commits = (Histogram() for _ in range(4))
        self.agent_events: Counter[str] = Counter()
        self._journal = journal
        self._commits = self._commit_us = 0
        self._latest: dict[int, tuple[int, int, int]] = {}
        """By bucket of `turns`: the latest turn that was looked at, its message, microseconds and beginning."""
        journal.on_commit.append(self._committed)

    async def exemplars(self, reader: Reader) -> dict[int, Exemplar]:
        """Turns of `turns`, by bucket; without those whose message retention has removed."""
        found: dict[int, Exemplar] = {}
        for bucket, (seq, turn_us, started_us) in self._latest.items():
            message = await reader.message(seq)
            if message is not None:
                found[bucket] = Exemplar(trace_id_of(message.body), turn_us / 1e6, started_us)
        return found

    def _committed(self, batch: Batch) -> None:
        if turns := batch.turns:
            rest = 0
            if len(turns) >= CROWDED:
                rest = len(turns) - len(turns) % EVERY
                self._count(turns[:rest:EVERY], EVERY)
            self._count(turns[rest:], 1)
            seq, started_us, us = _SEQ(turns[-1]), turns[-1][3], _TURN_US(turns[-1])
            self._latest[bucket_of(us.bit_length())] = (seq, us, started_us)
        for record in batch.records:
            if isinstance(record, Event) and record.kind == "agent":
                self.agent_events[msgspec.json.decode(record.body, type=_What).what] += 1
        counts = self._journal.counts
        commits, commit_us = counts.commits - self._commits, counts.commit_us - self._commit_us
        self._commits, self._commit_us = counts.commits, counts.commit_us
        if commits:
            # mostly one; where two came together, their mean
            self.commits.add([commit_us // commits] * commits, commit_us)

    def _count(self, turns: Sequence[TurnRow], weight: int) -> None:
        queued, took = list(map(_QUEUE_US, turns)), list(map(_TURN_US, turns))
        queue_us, turn_us = sum(queued), sum(took)
        self.queues.add(queued, queue_us, weight)
        self.turns.add(took, turn_us, weight)
        self.hops.add(map(add, queued, took), queue_us + turn_us, weight)


class _What(msgspec.Struct):
    what: str = ""
