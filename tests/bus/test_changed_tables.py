"""What is edited while conversations are open: each goes on by the table by which it began, or its members know."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.bus.referee_service import Mode, RefereeService
from caxton.clock import Clock
from caxton.protocols import Protocol, library
from caxton.protocols import conversation as conversations
from caxton.protocols.outcomes import state_names

from .harness import Stand, stand

TABLE = """
name = "haggling"
[states]
asked = { phase = "collecting" }
named = { phase = "deciding", deadline = "none" }
sold = { end = "success" }
[table]
steps = [
  { from = "start", by = "initiator", act = "cfp", to = "asked" },
  { from = "asked", by = "participant", act = "propose", to = "named" },
  { from = "named", by = "initiator", act = "accept-proposal", to = "sold" },
]
"""
CALL = {"protocol": "haggling", "conversation_id": "deal"}


class Project:
    """A project whose tables and setting are edited between two starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table: str | None = TABLE
        self.mode: Mode = "enforce"

    def referee(self, clock: Clock) -> RefereeService:
        tables: list[Path] = []
        if self.table is not None:
            tables = [self.folder / "haggling.toml"]
            tables[0].write_text(self.table, "utf-8")
        return RefereeService(clock, library(tables), self.mode)

    async def begin(self) -> None:
        """A start in which a deal is begun, up to the seller's price."""
        async with stand(self.folder, referee=self.referee) as runtime:
            runtime.agent("seller")
            runtime.bus.submit({"performative": "cfp", "receiver": "seller", **CALL})
            runtime.cell.end({"performative": "propose", "content": 3})
            await written(runtime)


async def written(runtime: Stand) -> None:
    runtime.bus.referee_service.write(runtime.journal.batch, runtime.bus.last_seq, all_of_it=True)
    await runtime.commit()


async def started(runtime: Stand, platform: str = "local") -> int:
    runtime.agent("seller")
    count = await runtime.bus.referee_service.restore(runtime.journal.reader, platform)
    runtime.redeliver()
    runtime.bus.referee_service.begin()
    return count


@pytest.mark.parametrize(
    "edited", [TABLE.replace("named", "priced"), None], ids=["a state renamed", "the table gone"]
)
async def test_an_open_conversation_goes_on_by_the_table_by_which_it_began(
    tmp_path: Path, edited: str | None
) -> None:
    project = Project(tmp_path)
    await project.begin()
    project.table = edited
    async with stand(tmp_path, referee=project.referee) as runtime:
        assert await started(runtime) == 1
        runtime.bus.submit({"performative": "accept-proposal", "receiver": "seller", **CALL})
        service = runtime.bus.referee_service
        conversation = service.known["deal"]
        protocol = service.library.of(conversation)
        assert protocol is not None
        assert state_names(conversation, protocol) == {"seller@local": "sold"}
        assert runtime.bus.counts.violations == 0
        assert runtime.cell.frames
        if edited is not None:
            # a new one goes by the new table
            new = {**CALL, "conversation_id": "new"}
            runtime.bus.submit({"performative": "cfp", "receiver": "seller", **new})
            runtime.cell.end()
            runtime.cell.end({"performative": "propose", **new})
            protocol = service.library.protocols["haggling"]
            assert state_names(service.known["new"], protocol) == {"seller@local": "priced"}
        await written(runtime)
    async with stand(tmp_path, referee=project.referee) as runtime:
        await started(runtime)
        assert "deal" in runtime.bus.referee_service.known, "and so it is after one more start"


async def test_a_referee_that_was_off_for_a_while_judges_what_went_on_meanwhile_no_more(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path)
    await project.begin()
    project.mode = "off"
    async with stand(tmp_path, referee=project.referee) as runtime:
        assert await started(runtime) == 0
        runtime.bus.submit({"performative": "accept-proposal", "receiver": "seller", **CALL})
        runtime.cell.frames.popleft()
        await written(runtime)
    project.mode = "enforce"
    async with stand(tmp_path, referee=project.referee) as runtime:
        assert await started(runtime) == 0
        runtime.bus.submit({"performative": "inform", "receiver": "seller", "content": "and?", **CALL})
        assert runtime.cell.frames[-1].message["content"] == "and?"
        assert runtime.bus.counts.violations == 0


async def test_conversations_of_a_platform_that_was_renamed_end(tmp_path: Path) -> None:
    project = Project(tmp_path)
    await project.begin()
    async with stand(tmp_path, referee=project.referee) as runtime:
        assert await started(runtime, "elsewhere") == 0
        told = [one for one in await runtime.messages() if one["sender"] == "ams@local"]
        assert {name for one in told for name in one["receiver"]} == {"operator@local", "seller@local"}
        assert {one["content"]["reason"] for one in told} == {"the platform is called elsewhere now"}
        (event,) = await runtime.journal.reader.events(kind="branch")
        assert b"the platform is called elsewhere now" in event.body


async def test_a_fault_in_one_conversations_judgement_ends_that_one_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    real = conversations.Conversation.hear

    def hear(self: conversations.Conversation, protocol: Protocol, message: object, at_us: int) -> object:
        if self.id == "deal" and self.spoken:
            raise KeyError("named")
        return real(self, protocol, message, at_us)  # type: ignore[arg-type]

    monkeypatch.setattr(conversations.Conversation, "hear", hear)
    monkeypatch.setattr(conversations.Conversation, "step", lambda *_: None)
    async with stand(tmp_path, referee=project.referee) as runtime:
        runtime.agent("seller")
        for id in ("deal", "other"):
            runtime.bus.submit({"performative": "cfp", "receiver": "seller", **CALL, "conversation_id": id})
            runtime.cell.end({"performative": "propose", "content": 3})
        for id in ("deal", "other"):
            runtime.bus.submit(
                {"performative": "accept-proposal", "receiver": "seller", **CALL, "conversation_id": id}
            )
        assert len(runtime.cell.frames) == 2, "the message that could not be judged is delivered"
        runtime.rings.ring()
        told = [one for one in await runtime.messages() if one["sender"] == "ams@local"]
        assert {(one["conversation_id"], name) for one in told for name in one["receiver"]} == {
            ("deal", "operator@local"),
            ("deal", "seller@local"),
        }
        known = runtime.bus.referee_service.known
        protocol = runtime.bus.referee_service.library.protocols["haggling"]
        assert (known["deal"].open, state_names(known["other"], protocol)) == (0, {"seller@local": "sold"})


async def test_a_fault_at_an_alarm_takes_no_other_conversations_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    real = conversations.Conversation.pass_time

    def pass_time(self: conversations.Conversation, protocol: Protocol, now_us: int) -> object:
        if self.id == "deal":
            raise KeyError("named")
        return real(self, protocol, now_us)

    monkeypatch.setattr(conversations.Conversation, "pass_time", pass_time)
    async with stand(tmp_path, referee=project.referee) as runtime:
        runtime.rings.stands_at_us = runtime.rings.now_us()
        runtime.agent("seller")
        for id in ("deal", "other"):
            runtime.bus.submit({"performative": "cfp", "receiver": "seller", **CALL, "conversation_id": id})
        while runtime.cell.frames:
            runtime.cell.end()
        runtime.rings.wait(301)
        known = runtime.bus.referee_service.known
        assert (known["deal"].open, known["other"].open) == (0, 0)
        assert known["other"].expired
