"""The gate of the loop: what a save changes is shown, what breaks or changes a pinned answer waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agents.systems import tally
from flow.running import running
from shapes import made

from caxton.cli.output.dev_lines import Lines
from caxton.client import AsyncClient
from caxton.daemon_socket import socket_path
from caxton.devloop import GateOptions
from caxton.devloop.events import (
    AwaitingDecision,
    DaemonUp,
    Deployed,
    DeployedElsewhere,
    DeployFailed,
    Dropped,
    Kept,
    Running,
    Unchanged,
    Watching,
)
from caxton.schemas.deployments import GateBody

from .project import looping

GATE = GateOptions("replay", 20, 30.0)
TRAPS_AT_TWO = "(if (i32.eq (i32.load8_u (i32.const 299)) (i32.const 49)) (then unreachable))"
ASK = {"performative": "request", "receiver": "tally"}


def save(folder: Path, wasm: bytes) -> str:
    (folder / "tally.wat").write_bytes(wasm)
    return wasm.decode()


def begin(folder: Path) -> None:
    save(folder, tally())
    (folder / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wasm"\n')


async def test_a_change_goes_in_and_is_shown_and_a_pinned_one_waits(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            first = await caxton.send(ASK, wait_s=10)
            await caxton.send(ASK, wait_s=10)
            project.save("tally.wat", tally(tag="two", step=2).decode())
            deployed = await project.next(Deployed)
            assert deployed.gate is not None
            assert (deployed.gate.totals.changed, deployed.gate.stopped) == (2, False)
            lines = Lines(colour=False)
            assert "replay  0 same, 2 changed, 0 illegal, fuel +" in lines.of(deployed)[1]

            await caxton.pin(first.conversation_id)
            project.save("tally.wat", tally(tag="three", step=3).decode())
            held = await project.next(AwaitingDecision)
            assert held.keeps == deployed.revision
            assert held.reason == f"an answer changes in pinned {first.conversation_id}"
            assert (await caxton.agent("tally")).revision == deployed.revision
            said = lines.of(held)
            assert "stopped" in said[0]
            assert said[-1].strip() == "caxton deploy promote|abort tally"
            different = list(lines.differences(held))
            assert any('"00000001" → "00000003"' in line for line in different)

            # dropped: the old one stays
            await project.loop.decide("tally", "abort")
            assert (await project.next(Dropped)).keeps == deployed.revision
            assert (await caxton.agent("tally")).revision == deployed.revision

            # accepted
            project.save("tally.wat", tally(tag="four", step=4).decode())
            held = await project.next(AwaitingDecision)
            await project.loop.decide("tally", "promote")
            accepted = await project.next(Deployed)
            assert accepted.revision == held.revision == (await caxton.agent("tally")).revision

            # the next save ends the waiting of the one before
            project.save("tally.wat", tally(tag="five", before=TRAPS_AT_TWO).decode())
            held = await project.next(AwaitingDecision)
            assert "a limit now" in held.reason
            project.save("tally.wat", tally(tag="six", step=4).decode())
            assert (await project.next(Deployed)).previous == accepted.revision
            row = await caxton.deployment(held.deployment)
            assert (row.state, row.waits) == ("failed", False)
            assert project.loop.held == {}
            assert not [event for event in project.seen if isinstance(event, DeployFailed)]


async def test_what_is_decided_elsewhere_is_told_here(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            first = await caxton.send(ASK, wait_s=10)
            await caxton.pin(first.conversation_id)
            before = (await caxton.agent("tally")).revision

            project.save("tally.wat", tally(tag="two", step=2).decode())
            held = await project.next(AwaitingDecision)
            await caxton.abort(held.deployment)
            dropped = await project.next(DeployFailed)
            assert (dropped.revision, dropped.keeps) == (held.revision, before)
            assert "the operator dropped it" in dropped.reason
            assert project.loop.held == {}

            project.save("tally.wat", tally(tag="three", step=3).decode())
            held = await project.next(AwaitingDecision)
            await caxton.promote(held.deployment)
            deployed = await project.next(Deployed)
            assert (deployed.previous, deployed.revision) == (before, held.revision)
            assert project.loop.held == {}


async def test_a_save_that_goes_back_to_what_runs_drops_what_waits(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            first = await caxton.send(ASK, wait_s=10)
            await caxton.pin(first.conversation_id)
            project.save("tally.wat", tally(tag="two", step=2).decode())
            held = await project.next(AwaitingDecision)
            project.save("tally.wat", tally().decode())
            assert (await project.next(Unchanged)).revision == held.keeps
            row = await caxton.deployment(held.deployment)
            assert (row.state, row.waits) == ("failed", False)
            assert project.loop.held == {}


async def test_without_a_gate_everything_goes_in(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GateOptions("none")) as project:
        await project.next(Watching)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            sent = await caxton.send(ASK, wait_s=10)
            await caxton.pin(sent.conversation_id)
            project.save("tally.wat", tally(tag="two", step=2).decode())
            assert (await project.next(Deployed)).gate is None


def test_a_key_is_told_whose_build_it_decides_next() -> None:
    def held(agent: str) -> AwaitingDecision:
        totals = {"turns": 0, "same": 0, "changed": 0, "illegal": 0, "fuel_before": 0, "fuel_after": 0}
        gate = {"totals": {**totals, "trapped": 0, "not_run": 0}, "timed_out": False}
        return AwaitingDecision(
            agent=agent,
            revision="r",
            keeps=None,
            build_ms=None,
            deployment="d",
            reason="why",
            gate=made(GateBody, gate),
        )

    lines = Lines(colour=False, keys="the keys")
    for agent in ("ann", "bob", "cid"):
        assert "waits too" not in "\n".join(lines.of(held(agent)))
    assert lines.of(Dropped(agent="cid", revision="r", keeps=None))[-1].split()[:2] == ["bob", "waits"]
    taken = DeployFailed(agent="bob", revision="r", code="c", reason="why", hint=None, keeps=None)
    assert lines.of(taken)[-1].split()[:2] == ["ann", "waits"]
    assert "waits too" not in "\n".join(lines.of(Dropped(agent="ann", revision="r", keeps=None)))


async def pinned(folder: Path) -> None:
    async with AsyncClient(socket_path(folder / ".caxton"), timeout=30.0) as caxton:
        await caxton.pin((await caxton.send(ASK, wait_s=10)).conversation_id)


async def revision(folder: Path) -> str:
    async with AsyncClient(socket_path(folder / ".caxton"), timeout=30.0) as caxton:
        return str((await caxton.agent("tally")).revision)


async def test_what_waits_when_everything_ends_comes_to_the_gate_again(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        await pinned(tmp_path)
        project.save("tally.wat", tally(tag="two", step=2).decode())
        first = await project.next(AwaitingDecision)
    # nobody watches, and a daemon is started: the build stands at wasm, and is not taken in
    with running(tmp_path, (tmp_path / "caxton.toml").read_text()):
        assert await revision(tmp_path) == first.keeps
    async with looping(tmp_path, gate=GATE) as project:
        again = await project.next(AwaitingDecision)
        assert (again.revision, again.keeps) == (first.revision, first.keeps)
        assert again.deployment != first.deployment
        await project.loop.decide("tally", "promote")
        await project.next(Deployed)
    async with looping(tmp_path, gate=GATE) as project:
        assert (await project.next(Running)).revision == first.revision


async def test_what_was_dropped_is_not_offered_until_it_is_saved_again(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        await pinned(tmp_path)
        project.save("tally.wat", tally(tag="two", step=2).decode())
        held = await project.next(AwaitingDecision)
        await project.loop.decide("tally", "abort")
        await project.next(Dropped)
    async with looping(tmp_path, gate=GATE) as project:
        kept = await project.next(Kept)
        assert (kept.revision, kept.keeps, kept.why) == (held.revision, held.keeps, "dropped")
        lines = Lines(colour=False).of(kept)
        assert "not taken" in lines[0]
        assert "was dropped at the gate" in lines[0]
        assert "caxton agent deploy tally tally.wasm" in lines[1]
        await project.next(Watching)
        assert await revision(tmp_path) == held.keeps
        project.save("tally.wat", tally(tag="two", step=2).decode())
        assert (await project.next(AwaitingDecision)).revision == held.revision


async def test_what_was_saved_while_nothing_ran_passes_by_the_gate(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        await pinned(tmp_path)
        before = await revision(tmp_path)
    save(tmp_path, tally(tag="two", step=2))
    async with looping(tmp_path, gate=GATE) as project:
        assert (await project.next(AwaitingDecision)).keeps == before
    save(tmp_path, tally(tag="three"))
    async with looping(tmp_path, gate=GATE) as project:
        deployed = await project.next(Deployed)
        assert (deployed.previous, deployed.gate and deployed.gate.stopped) == (before, False)


async def test_a_rollback_elsewhere_is_told_and_stays_over_the_end_of_everything(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        project.save("tally.wat", tally(tag="two").decode())
        deployed = await project.next(Deployed)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            undoing = await caxton.rollback(deployed.deployment)
        told = await project.next(DeployedElsewhere)
        assert (told.deployment, told.undoes) == (undoing.id, deployed.deployment)
        assert (told.state, told.keeps) == ("running", deployed.previous)
        assert f"undoes {deployed.deployment}" in Lines(colour=False).of(told)[0]
    async with looping(tmp_path, gate=GATE) as project:
        kept = await project.next(Kept)
        assert (kept.why, kept.keeps, kept.deployment) == (
            "rolled_back",
            deployed.previous,
            deployed.deployment,
        )


async def test_other_settings_are_no_way_in_for_a_build_that_was_rolled_back(tmp_path: Path) -> None:
    begin(tmp_path)
    text = (tmp_path / "caxton.toml").read_text()
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        project.save("tally.wat", tally(tag="two").decode())
        deployed = await project.next(Deployed)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            await caxton.rollback(deployed.deployment)
            await project.next(DeployedElsewhere)
            project.save("caxton.toml", text + "settings = { price = 3 }\n")
            told = await project.next(Deployed)
            assert (told.revision, told.settings_changed) == (deployed.previous, True)
            assert (await caxton.agent("tally")).settings == {"price": 3}
    (tmp_path / "caxton.toml").write_text(text + "settings = { price = 4 }\n")
    async with looping(tmp_path, gate=GATE) as project:
        assert (await project.next(Kept)).keeps == deployed.previous
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            now = await caxton.agent("tally")
            assert (now.revision, now.settings) == (deployed.previous, {"price": 4})
            project.save("tally.wat", tally(tag="two").decode())
            assert (await project.next(Deployed)).revision == deployed.revision


async def test_what_others_promote_and_take_back_is_told(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        async with AsyncClient(socket_path(tmp_path / ".caxton"), timeout=30.0) as caxton:
            before = (await caxton.agent("tally")).revision
            how = {"canary_stages": "5:5m"}
            first = await caxton.deploy("tally", tally(tag="two"), strategy="canary", how=how)
            await caxton.abort(first.id)
            told = await project.next(DeployedElsewhere)
            assert (told.deployment, told.state, told.keeps) == (first.id, "rolled_back", before)
            assert "the operator took it back" in Lines(colour=False).of(told)[0]
            second = await caxton.deploy("tally", tally(tag="three"), strategy="canary", how=how)
            await caxton.promote(second.id)
            told = await project.next(DeployedElsewhere)
            assert (told.state, told.previous, told.keeps) == ("running", before, second.revision)
        assert [event for event in project.seen if isinstance(event, Deployed | DeployFailed)] == []


async def test_what_waits_when_the_daemon_alone_ends_comes_to_the_next_one(tmp_path: Path) -> None:
    begin(tmp_path)
    async with looping(tmp_path, gate=GATE) as project:
        await project.next(Watching)
        await pinned(tmp_path)
        project.save("tally.wat", tally(tag="two", step=2).decode())
        held = await project.next(AwaitingDecision)
        project.kill()
        await asyncio.to_thread(project.bring_up)
        lost = await project.next(DeployFailed)
        assert (lost.revision, lost.keeps) == (held.revision, held.keeps)
        assert "the daemon stopped" in lost.reason
        again = await project.next(AwaitingDecision)
        assert (again.revision, again.keeps) == (held.revision, held.keeps)
        # and by its own way down
        await asyncio.to_thread(project.take_down)
        await asyncio.to_thread(project.bring_up)
        assert "the daemon stopped" in (await project.next(DeployFailed)).reason
        again = await project.next(AwaitingDecision)
        await project.loop.decide("tally", "promote")
        assert (await project.next(Deployed)).revision == held.revision
        assert len([event for event in project.seen if isinstance(event, DaemonUp)]) == 1
