"""Every question to the journal, compared with a plain list, at every state of the indexes behind."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from caxton.clock import SystemClock
from caxton.ids import conversation_key
from caxton.journal import (
    AgentRow,
    ClientKey,
    DeadLetter,
    DeploymentRow,
    Journal,
    JournalSettings,
    RevisionRow,
    SnapshotRow,
    StoredEvent,
    StoredMessage,
)
from caxton.journal.read.reader import Reader
from caxton.journal.records import query
from caxton.journal.write import deferred_index
from journal.history import AGENTS, START_US, Said, Talks, registry, turn

TOTAL = 240


class History(NamedTuple):
    journal: Journal
    messages: list[Said]
    events: list[int]
    turns: set[tuple[int, str]]


@pytest_asyncio.fixture(params=[0, 1, 57, 120, TOTAL - 1, TOTAL], ids=lambda upto: f"indexed-{upto}")
async def history(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[History]:
    # the writer must not index by itself: each state of the indexes is made by hand
    monkeypatch.setattr("caxton.journal.write.commits.IDLE_S", 1e6)
    pick = random.Random(7)
    journal = await Journal.open(tmp_path, SystemClock())
    messages, events, talks = list[Said](), list[int](), Talks()
    registry(journal.batch)
    for seq in range(1, TOTAL + 1):
        if seq % 9 == 0:
            journal.batch.event(seq, START_US + seq, "log" if seq % 2 else "agent", AGENTS[seq % 3], None)
            events.append(seq)
            continue
        sender = pick.choice(AGENTS[:3])
        said = Said(
            seq,
            conversation=f"c-{pick.randrange(12)}",
            sender=sender,
            receivers=tuple(pick.sample(AGENTS[:3], pick.randrange(1, 3))),
            performative=pick.choice(["request", "inform"]),
            # several messages share a microsecond
            at_us=START_US + seq // 4,
            cause=messages[-3].seq if len(messages) > 2 and seq % 3 else 0,
        )
        messages.append(said)
        if seq == 130:
            talks.known.clear()  # as after a restart: conversations are announced again
        talks.say(journal.batch, [said])
    turns = {(said.seq, name) for said in messages for name in said.receivers if pick.random() < 0.8}
    for seq, name in sorted(turns):
        turn(journal.batch, seq, name)
    journal.flush()
    await journal.committed_upto(TOTAL)
    await journal.close()
    db = sqlite3.connect(journal.path, isolation_level=None)
    for statement in ("conversation_index", "conversation_key", "participant", "participation"):
        db.execute(f"delete from {statement}")
    db.execute("update meta set value = 0 where key = 'indexed_upto'")
    for name, conversation in sorted(talks.members):
        db.execute(
            "insert into participant_log(agent, key) values (?, ?)", (name, conversation_key(conversation))
        )
    indexed = 0
    while indexed < request.param:
        indexed = deferred_index.index_chunk(db, indexed, request.param, chunk=23)
    db.close()
    journal.reader = await Reader.open(journal.path)
    yield History(journal, messages, events, turns)
    await journal.reader.close()


async def test_messages(history: History) -> None:
    pick, reader = random.Random(3), history.journal.reader
    for _ in range(150):
        conversation = pick.choice([None, None, "c-3", "c-7", "c-none"])
        agent = pick.choice([None, None, "buyer@local", "seller@local", "nobody@local"])
        performative = pick.choice([None, None, "inform"])
        after, before = pick.choice([0, 50, 56, 57, 58, 119, 200]), pick.choice([None, 57, 58, 121, 220])
        since, until = pick.choice([None, START_US + 10, START_US]), pick.choice([None, START_US + 45])
        limit, newest = pick.choice([1, 3, 10, 1000]), pick.random() < 0.5
        expected = [
            said
            for said in history.messages
            if (conversation is None or said.conversation == conversation)
            and (agent is None or agent == said.sender or agent in said.receivers)
            and (performative is None or said.performative == performative)
            and said.seq > after
            and (before is None or said.seq < before)
            and (since is None or said.time >= since)
            and (until is None or said.time < until)
        ]
        expected = (expected[::-1] if newest else expected)[:limit]
        found = await reader.messages(
            conversation=conversation,
            agent=agent,
            performative=performative,
            after_seq=after,
            before_seq=before,
            since_us=since,
            until_us=until,
            limit=limit,
            newest_first=newest,
        )
        assert [(row.seq, row.body, row.at_us) for row in found] == [
            (said.seq, said.body, said.time) for said in expected
        ]


async def test_an_agent_with_many_conversations_is_found_by_scanning(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "FEW", 2)
    monkeypatch.setattr("caxton.journal.read.conversations.FEW", 2)
    found = await history.journal.reader.messages(agent="buyer@local", limit=1000)
    assert [row.seq for row in found] == [
        said.seq for said in history.messages if "buyer@local" in (said.sender, *said.receivers)
    ]
    talks = await history.journal.reader.conversations(agent="buyer@local")
    assert {talk.id for talk in talks} == {
        said.conversation for said in history.messages if "buyer@local" in (said.sender, *said.receivers)
    }


async def test_two_conversations_with_one_key_are_told_apart(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = conversation_key("c-3")
    monkeypatch.setattr("caxton.journal.read.reader.conversation_key", lambda _: same)
    assert await history.journal.reader.messages(conversation="c-other") == []


async def test_conversations_and_those_that_they_serve(history: History) -> None:
    reader = history.journal.reader
    by_id: dict[str, list[Said]] = {}
    for said in history.messages:
        by_id.setdefault(said.conversation, []).append(said)
    conversations = {said.seq: said.conversation for said in history.messages}
    expected = sorted(by_id.values(), key=lambda talk: -talk[0].seq)
    for agent in (None, "seller@local", "idle@local"):
        wanted = [
            talk
            for talk in expected
            if agent is None or any(agent in (said.sender, *said.receivers) for said in talk)
        ]
        pages, before = [], None
        while page := await reader.conversations(agent=agent, before_seq=before, limit=5):
            pages += page
            before = page[-1].first_seq
        assert [(talk.id, talk.first_seq, talk.last_seq, talk.messages) for talk in pages] == [
            (talk[0].conversation, talk[0].seq, talk[-1].seq, len(talk)) for talk in wanted
        ]
        for talk, rows in zip(pages, wanted, strict=True):
            assert (talk.initiator, talk.started_us, talk.last_us) == (
                rows[0].sender,
                rows[0].time,
                rows[-1].time,
            )
            assert talk.participants == sorted(
                {name for one in rows for name in (one.sender, *one.receivers)}
            )
            serves = conversations.get(rows[0].cause)
            assert talk.parent == (serves if serves != talk.id else None)
            assert await reader.conversation(talk.id) == talk
    assert await reader.conversation("c-none") is None


async def test_turns(history: History) -> None:
    reader = history.journal.reader

    def expected(**wanted: object) -> list[tuple[int, str]]:
        return sorted(
            (
                (seq, name)
                for seq, name in history.turns
                for said in history.messages
                if said.seq == seq and all(getattr(said, key) == value for key, value in wanted.items())
            ),
            key=lambda one: (one[0], AGENTS.index(one[1])),
        )

    every = await reader.turns()
    assert [(row.seq, row.agent) for row in every] == expected()
    assert (every[0].started_us, every[0].queue_us, every[0].turn_us, every[0].fuel, every[0].sent) == (
        START_US + every[0].seq,
        10,
        20,
        300,
        1,
    )
    found = await reader.turns(conversation="c-3")
    assert [(row.seq, row.agent) for row in found] == expected(conversation="c-3")
    found = await reader.turns(conversation="c-3", newest_first=True, limit=4)
    assert [row.seq for row in found] == [seq for seq, _ in expected(conversation="c-3")[::-1][:4]]
    found = await reader.turns(seqs=[2, 3, 100, 9999])
    assert [(row.seq, row.agent) for row in found] == [one for one in expected() if one[0] in (2, 3, 100)]
    found = await reader.turns(agent="seller@local", after_seq=50, before_seq=150)
    assert [row.seq for row in found] == [
        seq for seq, name in expected() if name == "seller@local" and 50 < seq < 150
    ]


async def test_stream_and_events(history: History) -> None:
    reader = history.journal.reader
    after, rows = 0, list[StoredMessage | StoredEvent]()
    while page := await reader.stream(after, 7):
        rows += page
        after = page[-1].seq
    assert [row.seq for row in rows] == list(range(1, TOTAL + 1))
    assert [row.seq for row in rows if isinstance(row, StoredEvent)] == history.events
    logs = await reader.events(kind="log", newest_first=True, limit=3)
    assert [event.seq for event in logs] == [seq for seq in history.events[::-1] if seq % 2][:3]
    found = await reader.events(agent=AGENTS[0], after_seq=30)
    assert [event.seq for event in found] == [seq for seq in history.events if seq > 30 and seq % 3 == 0]
    assert len(await reader.events(kind="a*")) == len([seq for seq in history.events if not seq % 2])


async def test_one_message_and_stats(history: History) -> None:
    reader = history.journal.reader
    message = await reader.message(5)
    assert message is not None
    assert message.body == history.messages[4].body
    assert await reader.message(9) is None, "an event's number is no message"
    stats = await reader.stats()
    assert (stats.first_seq, stats.last_seq) == (1, TOTAL)
    assert (stats.first_us, stats.last_us) == (history.messages[0].time, history.messages[-1].time)
    assert 0 < stats.used_bytes <= stats.file_bytes


async def test_what_the_registry_wrote_comes_back(tmp_path: Path) -> None:
    async with await Journal.open(
        tmp_path, SystemClock(), JournalSettings(keep_days=0, keys_days=0)
    ) as journal:
        agents = [
            AgentRow(1, "a@local", "running", 2, '{"x": 1}', 5, 6),
            AgentRow(2, "b@local", "failed", None, "{}", 7, 8),
        ]
        revisions = [RevisionRow(n, f"{n:064x}", "standard", 300, f"m/{n}", n) for n in (1, 2)]
        deployments = [DeploymentRow(f"d-{n}", 1, n, None, "direct", "done", None, n, n) for n in (1, 2)]
        dead = [DeadLetter(n, "a@local", n, "mailbox_full", "It is full.") for n in (1, 2)]
        batch = journal.batch
        batch.records += [
            AgentRow(1, "a@local", "loaded", 1, "{}", 5, 5),
            *revisions,
            *deployments,
            *dead,
            *agents,
        ]
        batch.records.append(SnapshotRow(1, 1, 9, 2, b"old"))
        batch.records.append(SnapshotRow(1, 3, 10, 2, bytes(range(256))))
        batch.client_key("k", 1, 5)
        batch.client_key("k", 2, 6)
        batch.meta("low_water", 7)
        batch.meta("low_water", 8)
        batch.meta("name", "ü")
        batch.event(1, 1, "x", body='{"text": "é"}'.encode())
        journal.flush()
        await journal.committed_upto(1)
        reader = journal.reader
        assert await reader.agents() == agents
        assert await reader.revisions() == revisions
        assert await reader.deployments() == deployments[::-1]
        assert await reader.deployments(agent_no=9) == []
        assert [(row.seq, row.code) for row in await reader.dead_letters()] == [
            (2, dead[1].code),
            (1, dead[0].code),
        ]
        assert await reader.dead_letters(agent="b@local") == []
        assert await reader.snapshot(1) == SnapshotRow(1, 3, 10, 2, bytes(range(256)))
        assert await reader.snapshot(2) is None
        assert await reader.client_key("k") == ClientKey("k", 1, 5)
        assert await reader.client_key("none") is None
        assert await reader.meta("low_water") == 8
        assert await reader.meta("name") == "ü"
        assert (await reader.events())[0].body == '{"text": "é"}'.encode()
