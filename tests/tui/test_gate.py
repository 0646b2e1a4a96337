"""The gate in the app: pin a conversation, see what a build that waits would answer, accept it or drop it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agents.systems import tally
from textual.widgets import Static

from caxton_tui.model.store import Store
from caxton_tui.screens.panes.changes import ChangesPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import PATIENCE_S, Daemon, Stage, daemon, opened, read, stage

GATE: dict[str, Any] = {"gate": "replay", "gate_s": PATIENCE_S}
ASK = {"performative": "request", "receiver": "tally"}


@asynccontextmanager
async def counted(
    folder: Path, size: tuple[int, int] = (120, 40), **more: Any
) -> AsyncGenerator[tuple[Daemon, Stage]]:
    """An agent that counts, after two conversations, `c-1` and `c-2`, and the app on it."""
    (folder / "tally.wat").write_bytes(tally())
    (folder / "caxton.toml").write_text('name = "count"\ncells = 1\n[agents.tally]\nwasm = "tally.wat"\n')
    async with daemon(folder) as caxton, stage(folder, size, **more) as one:
        for name in ("c-1", "c-2"):
            await caxton.client.send({**ASK, "conversation_id": name}, wait_s=PATIENCE_S)
        await one.until(read(caxton), look=True)
        yield caxton, one


def pins(store: Store) -> set[str]:
    return {str(one.id) for one in store.conversations if one.pinned}


def card(one: Stage) -> str:
    """What stands on the card of the deployment at the cursor."""
    from rich.console import Console

    console = Console(width=100)
    with console.capture() as seen:
        console.print(one.app.main_screen.query_one("#change-text", Static).content)
    return seen.get()


async def revision(caxton: Daemon) -> str:
    return str((await caxton.client.agent("tally")).revision)


async def test_a_conversation_is_pinned_and_let_go(tmp_path: Path) -> None:
    async with counted(tmp_path) as (caxton, one):
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("down", "down", "enter")
        await one.until(opened("c-1"), look=True)
        await one.press("p")
        await one.until(lambda store: pins(store) == {"c-1"}, look=True)
        await one.until(
            lambda store: store.conversation and store.conversation.head and store.conversation.head.pinned,
            look=True,
        )
        assert "⚑ pinned" in pane.diagram.title
        assert "⚑ c-1" in pane.main.plain
        assert [pin.conversation_id for pin in await caxton.client.pins()] == ["c-1"]
        await one.press("escape", "slash", *"is:pinned", "enter")
        assert [item.id for item in pane.main.things] == ["c-1"]
        await one.press("g", "enter")
        await one.until(opened("c-1"), look=True)
        await one.press("p")
        await one.until(lambda store: not pins(store), look=True)
        assert await caxton.client.pins() == []


async def test_a_build_that_waits_is_looked_at_and_accepted(tmp_path: Path) -> None:
    async with counted(tmp_path) as (caxton, one):
        await caxton.client.pin("c-1")
        before = await revision(caxton)
        held = await caxton.client.deploy("tally", tally(step=2), how=GATE)
        assert held.waits
        # it is seen from every screen
        await one.until(lambda store: store.waiting, look=True)
        assert "1 build waiting: 4" in one.app.main_screen.query_one(StatusLine).text.plain
        await one.press("4")
        pane = one.app.main_screen.switcher.the(ChangesPane)
        await one.press("g", "n")
        await one.until(lambda store: store.deployment and store.deployment.id == held.id, look=True)
        assert "≠ 2 of 2" in pane.main.plain
        assert "an answer changes in pinned c-1" in card(one)
        assert "0 same, 2 changed, 0 illegal" in card(one)

        await one.press("d")
        assert '"00000001" → "00000002"' in card(one)
        assert "c-1  ⚑ pinned" in card(one)
        assert "reason" not in card(one)
        await one.press("escape")
        assert "0 same, 2 changed" in card(one)
        assert await revision(caxton) == before

        await one.press("l", "y")
        await one.until(
            lambda _: "waits" in str([note.message for note in one.app._notifications]), look=True
        )
        assert await revision(caxton) == before

        await one.press("a")
        await one.until(lambda store: not store.waiting, look=True)
        assert await revision(caxton) == held.revision
        await one.press("a")
        assert "no build waits" in str([note.message for note in one.app._notifications])


async def test_a_build_that_waits_is_dropped_from_the_palette(tmp_path: Path) -> None:
    async with counted(tmp_path) as (caxton, one):
        await caxton.client.pin("c-1")
        before = await revision(caxton)
        held = await caxton.client.deploy("tally", tally(step=2), how=GATE)
        await one.until(lambda store: store.waiting, look=True)
        await one.press("4", "colon", *"build drop tally", "enter")
        await one.until(lambda store: store.deployments[0].state == "failed", look=True)
        assert await revision(caxton) == before
        assert (await caxton.client.deployment(held.id)).reason.startswith("the operator dropped it")


async def test_what_passes_the_gate_is_told_in_figures(tmp_path: Path) -> None:
    async with counted(tmp_path, (80, 24)) as (caxton, one):
        done = await caxton.client.deploy("tally", tally(step=3), how=GATE)
        assert (done.waits, done.state) == (False, "running")
        await one.press("4")
        await one.until(lambda store: store.deployment and store.deployment.id == done.id, look=True)
        assert "≠ 2 of 2" in one.app.main_screen.switcher.the(ChangesPane).main.plain
        assert "● passed" in card(one)
        # `d` shows what differs on this screen; the theme has another key
        theme = one.app.theme
        await one.press("d")
        assert '"00000001" → "00000003"' in card(one)
        assert one.app.theme == theme


async def test_where_one_only_looks_a_build_goes_on_waiting(tmp_path: Path) -> None:
    async with counted(tmp_path, read_only=True) as (caxton, one):
        await caxton.client.pin("c-1")
        await caxton.client.deploy("tally", tally(step=2), how=GATE)
        await one.until(lambda store: store.waiting, look=True)
        await one.press("4", "a", "x", "1", "p")
        said = str([note.message for note in one.app._notifications])
        assert said.count("read-only") == 3
        assert one.store.waiting
        assert len(await caxton.client.pins()) == 1
