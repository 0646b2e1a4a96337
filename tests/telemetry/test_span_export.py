"""Spans from a journal on a disk to a collector, compared with the rows that they were made of."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from caxton.clock import SystemClock
from caxton.config.tables import TelemetryTable
from caxton.ids import Ids
from caxton.journal import HANDLED, AgentRow, DeadLetter, Journal, Mark, Meta, Publication, RevisionRow
from caxton.journal.following import JournalFollower
from caxton.telemetry import span_export
from caxton.telemetry.collector import collector
from caxton.telemetry.export_status import ExportStatus, read_status
from caxton.telemetry.otlp import resource
from caxton.telemetry.otlp_settings import Sampling, otlp_settings
from caxton.telemetry.span_export import SpanExport, place_of
from caxton.telemetry.span_follower import SETTLE_S, Place, SpanFollower
from caxton.telemetry.spans import turn_span_id
from caxton.turn_status import Status

from .receiver import Receiver, attributes, receiving

START_US = 1_700_000_000_000_000
AGENTS = {1: "seller@local", 2: "buyer@local"}
KEPT, LEFT_OUT = "a" * 16 + "0" * 15 + "1", "a" * 16 + "f" * 16
"""Trace ids at both ends of the sampler's range."""


@dataclass
class Written:
    """A journal that a test writes as the bus would."""

    journal: Journal
    folder: Path
    ids: Ids = field(default_factory=lambda: Ids("spans"))
    seq: int = 0

    def say(
        self,
        sender: str,
        *receivers: str,
        cause: int = 0,
        trace: str = KEPT,
        flags: int = 0,
        **more: object,
    ) -> int:
        self.seq += 1
        id, span_id = self.ids.of(self.seq)
        body = {
            "id": id,
            "performative": "request",
            "sender": sender,
            "receiver": list(receivers),
            "conversation_id": "c-1",
            "trace_id": trace,
            "span_id": span_id,
            "timestamp": START_US + self.seq,
            **more,
        }
        encoded = json.dumps(body, separators=(",", ":")).encode()
        self.journal.batch.message(self.seq, START_US + self.seq, 1, cause, 0, flags, encoded)
        return self.seq

    def turn(self, seq: int, agent: int, status: int = 0, turn_us: int = 300) -> None:
        self.journal.batch.turns.append((seq, agent, 1, START_US + seq + 20, 20, turn_us, 7, 1, status, 0))

    def event(self, kind: str, **body: object) -> int:
        self.seq += 1
        self.journal.batch.event(self.seq, START_US + self.seq, kind, None, None, json.dumps(body).encode())
        return self.seq

    async def commit(self) -> None:
        await self.journal.written()


@pytest_asyncio.fixture
async def written(tmp_path: Path) -> AsyncIterator[Written]:
    async with await Journal.open(tmp_path, SystemClock()) as journal:
        for number, name in AGENTS.items():
            journal.batch.records.append(AgentRow(number, name, "running", 1, "{}", START_US, START_US))
        journal.batch.records.append(RevisionRow(1, "ab" * 32, "standard", 1, "x", START_US))
        yield Written(journal, tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Exporting:
    """An export on a journal, step by step; `now_s` is its clock."""

    def __init__(
        self, written: Written, receiver: Receiver, ratio: float = 1.0, slow_us: int = 10**6
    ) -> None:
        self.now_s = 0.0
        settings = otlp_settings(TelemetryTable(endpoint=receiver.endpoint), "traces", {})
        assert settings is not None
        self.journal = JournalFollower(written.folder / "journal.db")
        self.follower = SpanFollower(self.journal, Place("j"), Sampling(ratio, slow_us))
        self.sink = collector(settings)
        self.closing = threading.Event()
        self.export = SpanExport(
            self.follower,
            self.sink,
            settings,
            resource({"service.name": "market"}),
            written.folder,
            self.closing,
            lambda: self.now_s,
        )

    def settle(self) -> None:
        """Everything that there is, after some time."""
        for _ in range(3):
            while self.export.step():
                pass
            self.now_s += SETTLE_S

    def close(self) -> None:
        self.sink.close()
        self.journal.close()

    @property
    def status(self) -> ExportStatus:
        return self.export.status


MakeExport = Callable[..., Exporting]


@pytest.fixture
def export(written: Written, receiver: Receiver) -> Iterator[MakeExport]:
    with ExitStack() as stack:

        def make(**how: Any) -> Exporting:
            one = Exporting(written, receiver, **how)
            stack.callback(one.close)
            return one

        yield make


def named(receiver: Receiver) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for span in receiver.spans:
        found.setdefault(span.name, []).append(span)
    return found


async def test_a_chain_of_messages_is_a_tree_of_spans(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    parent = "00f067aa0ba902b7"
    asked = written.say(
        "operator@local", "seller@local", protocol="fipa-request", x_traceparent=f"00-{KEPT}-{parent}-01"
    )
    written.turn(asked, 1)
    passed_on = written.say("seller@local", "buyer@local", cause=asked)
    written.turn(passed_on, 2)
    answer = written.say("buyer@local", "operator@local", cause=passed_on, flags=HANDLED)
    told = written.say("ams@local", "operator@local", cause=passed_on, flags=HANDLED)
    await written.commit()
    exporting = export()
    exporting.settle()

    spans = named(receiver)
    (asking,), (selling,) = spans["send seller@local"], spans["process seller@local"]
    (passing,), (buying,) = spans["send buyer@local"], spans["process buyer@local"]
    answering, telling = spans["send operator@local"]
    assert len(receiver.spans) == 6
    assert {span.trace_id.hex() for span in receiver.spans} == {KEPT}
    # each message's own span id, and below it the turns on it
    for span, seq in ((asking, asked), (passing, passed_on), (answering, answer), (telling, told)):
        assert span.span_id.hex() == written.ids.of(seq)[1]
        assert attributes(span)["caxton.seq"] == seq
        assert (span.kind, span.start_time_unix_nano) == (4, (START_US + seq) * 1000)
    assert [span.parent_span_id.hex() for span in (asking, selling, passing, buying, answering, telling)] == [
        parent,
        asking.span_id.hex(),
        selling.span_id.hex(),
        passing.span_id.hex(),
        buying.span_id.hex(),
        # the platform has no turns: what it says stands below what it answers
        passing.span_id.hex(),
    ]
    assert selling.span_id.hex() == turn_span_id(KEPT, asked, "seller@local")
    assert (selling.kind, selling.end_time_unix_nano - selling.start_time_unix_nano) == (5, 300_000)
    assert (
        attributes(selling).items()
        >= {
            "messaging.system": "caxton",
            "messaging.operation.type": "process",
            "messaging.destination.name": "seller@local",
            "messaging.message.conversation_id": "c-1",
            "caxton.protocol": "fipa-request",
            "caxton.fuel": 7,
            "caxton.queue_us": 20,
            "caxton.status": "ok",
            "caxton.revision": "ab" * 32,
        }.items()
    )
    assert exporting.status.counts.accepted == 6
    assert (exporting.status.lag, exporting.status.trouble) == (0, "")
    assert receiver.headers[0]["content-encoding"] == "gzip"
    stored = read_status(written.folder, "traces")
    assert stored is not None
    assert stored.place.cursor == told


async def test_what_failed_broke_its_protocol_or_was_slow_is_kept_whatever_the_share(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    fine, trapped, slow, lost, broken, kept = (
        written.say("operator@local", "seller@local", trace=LEFT_OUT) for _ in range(6)
    )
    for seq in (fine, kept, broken):
        written.turn(seq, 1)
    written.turn(trapped, 1, Status.TRAP)
    written.turn(slow, 1, turn_us=50_000)
    records = written.journal.batch.records
    records += [
        DeadLetter(trapped, "seller@local", START_US, "turn_trapped", "unreachable executed"),
        DeadLetter(lost, "seller@local", START_US, "mailbox_full", "10,000 wait"),
        Mark(broken, 1, "violation", "wrong-state", "s", "", None, None, True),
    ]
    sampled = written.say("operator@local", "seller@local", trace=KEPT)
    written.turn(sampled, 1)
    await written.commit()
    exporting = export(ratio=0.5, slow_us=50_000)
    exporting.settle()
    seqs = [attributes(span)["caxton.seq"] for span in receiver.spans]
    assert sorted(set(seqs)) == [trapped, slow, lost, broken, sampled]
    errors = {
        (attributes(span)["caxton.seq"], span.name.split()[0]): (
            attributes(span)["error.type"],
            span.status.message,
        )
        for span in receiver.spans
        if span.status.code == 2
    }
    assert errors == {
        (trapped, "process"): ("turn_trapped", "unreachable executed"),
        (lost, "process"): ("mailbox_full", "10,000 wait"),
        (broken, "send"): ("violation", "broke its protocol: wrong-state"),
    }
    assert exporting.status.counts.left_out == 2


async def test_turns_that_come_later_are_sent_later_and_once(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    both = written.say("operator@local", "seller@local", "buyer@local")
    topic = written.say("operator@local", "topic:news@local")
    written.journal.batch.records.append(Publication(topic, "[1,2]"))
    written.turn(both, 1)
    await written.commit()
    exporting = export()
    exporting.settle()
    assert sorted(span.name for span in receiver.spans) == [
        "process seller@local",
        "send",
        "send topic:news@local",
    ]
    assert set(exporting.follower.place.late) == {both, topic}
    # another process goes on with what the last one wrote
    stored = read_status(written.folder, "traces")
    assert stored is not None
    again = export()
    again.follower.place = stored.place
    written.turn(both, 2)
    written.turn(topic, 1)
    await written.commit()
    again.settle()
    written.turn(topic, 2)
    await written.commit()
    again.settle()
    assert sorted(span.name for span in receiver.spans[3:]) == [
        "process buyer@local",
        "process buyer@local",
        "process seller@local",
    ]
    assert again.follower.place.late == {}
    assert len({span.span_id for span in receiver.spans}) == 6


async def test_a_message_comes_at_once_when_it_is_finished_and_after_a_while_when_not(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    first = written.say("operator@local", "seller@local")
    written.turn(first, 1)
    written.journal.batch.records.append(Meta("low_water", first))
    written.say("operator@local", "seller@local")
    await written.commit()
    exporting = export()
    assert exporting.export.step()
    assert [attributes(span)["caxton.seq"] for span in receiver.spans] == [first, first]
    assert not exporting.export.step()
    assert exporting.export.step(closing=True), "at the end nothing waits for its time"
    assert exporting.status.lag == 0


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_export, "FIRST_PAUSE_S", 0.0)


async def test_a_collector_that_is_away_gets_the_same_spans_later(
    written: Written, receiver: Receiver, export: MakeExport, no_pause: None
) -> None:
    for _ in range(3):
        written.turn(written.say("operator@local", "seller@local"), 1)
    await written.commit()
    exporting = export()
    receiver.answers += [(503, {}, b""), (429, {"retry-after": "0"}, b"slow down"), (502, {}, b"")]
    exporting.settle()
    assert (len(receiver.spans), exporting.status.counts.retries, exporting.status.trouble) == (6, 3, "")


async def test_what_is_refused_for_good_is_counted_and_the_next_goes_on(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    written.turn(written.say("operator@local", "seller@local"), 1)
    await written.commit()
    exporting = export()
    receiver.answers.append((401, {}, b"no such key"))
    exporting.settle()
    assert (exporting.status.counts.refused, exporting.status.trouble) == (2, "HTTP 401: no such key")
    # ExportTraceServiceResponse{partial_success{rejected_spans: 1, error_message: "too old"}}
    receiver.answers.append((200, {}, b"\x0a\x0b\x08\x01\x12\x07too old"))
    written.turn(written.say("operator@local", "seller@local"), 1)
    await written.commit()
    exporting.settle()
    counts = exporting.status.counts
    assert (counts.accepted, counts.rejected, counts.refused) == (1, 1, 2)
    assert exporting.status.trouble == "1 were not taken: too old"


async def test_the_end_interrupts_the_waiting_and_the_place_stays(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    written.turn(written.say("operator@local", "seller@local"), 1)
    await written.commit()
    exporting = export()
    receiver.answers += [(503, {"retry-after": "3600"}, b"")] * 2
    exporting.closing.set()
    exporting.export.run()
    assert receiver.spans == []
    stored = read_status(written.folder, "traces")
    assert stored is not None
    assert (stored.place.cursor, stored.lag, stored.trouble) == (0, written.seq, "HTTP 503")


async def test_what_retention_removed_before_is_counted(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    for _ in range(5):
        written.turn(written.say("operator@local", "seller@local"), 1)
    written.journal.batch.records.append(Meta("trimmed_upto", 3))
    await written.commit()
    exporting = export()
    exporting.settle()
    assert sorted({attributes(span)["caxton.seq"] for span in receiver.spans}) == [4, 5]
    assert (exporting.follower.place.missed, exporting.follower.place.missed_upto) == (3, 3)


async def test_deployments_and_cells_have_spans_of_their_own(
    written: Written, receiver: Receiver, export: MakeExport
) -> None:
    deployment = {"id": "d-1", "agent": "seller", "revision": "ab", "strategy": "direct", "previous": None}
    times = {"created_us": START_US, "updated_us": START_US + 5_000}
    written.event("deployment", **deployment, **times, state="deploying")
    written.event("deployment", **deployment, **times, state="running")
    written.event("cell", cell=1, pid=7, state="died", exit_code=-9, agents=2)
    written.event("cell", cell=1, pid=8, state="ready", restarts=1, start_us=40_000)
    written.event("deployment", **deployment, **times, state="failed", reason="it has no memory")
    await written.commit()
    export().settle()
    deployed, died, ready, failed = receiver.spans
    assert [span.name for span in receiver.spans] == [
        "deploy seller",
        "lose cell",
        "start cell",
        "deploy seller",
    ]
    assert deployed.end_time_unix_nano - deployed.start_time_unix_nano == 5_000_000
    assert ready.end_time_unix_nano - ready.start_time_unix_nano == 40_000_000
    assert (died.status.code, failed.status.message) == (2, "it has no memory")


def test_a_place_is_gone_on_from_only_in_the_journal_that_it_is_of() -> None:
    status = ExportStatus("http://x", "grpc", 1, 1, place=Place("j", 40))
    assert place_of(status, "j", last=50, begin=45) == Place("j", 40)
    assert place_of(status, "other", last=50, begin=45) == Place("other", 45)
    # a backup was put back
    assert place_of(status, "j", last=30, begin=30) == Place("j", 30)
    assert place_of(None, "j", last=50, begin=0) == Place("j", 0)
