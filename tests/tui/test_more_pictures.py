"""More of what a person sees: changes and the gate, pins, letters to jump to, many lanes, forms.

What was measured is another figure each time; here it is none, so that pictures can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from agents.systems import tally

from caxton.schemas.shape import Shape, plain, shaped
from caxton_tui import CaxtonApp
from caxton_tui.model.connection import Link
from caxton_tui.model.store import Store
from caxton_tui.screens.compare import CompareScreen
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.traces import TracesPane
from caxton_tui.widgets.sequence_diagram import SequenceDiagram

from .harness import daemon, heard, market, read, settled, stage
from .test_gate import GATE, counted

Shot = Callable[[CaxtonApp, str], None]
MEASURED = ("turn_us", "queue_us", "pause_us", "compile_ms", "load_ms", "elapsed_ms", "ms")


def unmeasured(value: Any) -> Any:
    """The same without durations."""
    if isinstance(value, dict):
        return {key: 0 if key in MEASURED and one else unmeasured(one) for key, one in value.items()}
    if isinstance(value, str):
        return re.sub(r"[\d.]+ ms of", "0 ms of", value)
    if isinstance(value, Shape):
        return shaped(unmeasured(plain(value)), type(value))
    if isinstance(value, list | tuple):
        return type(value)(unmeasured(one) for one in value)
    return value


def opened(store: Store) -> str | None:
    """Which conversation the store has opened."""
    return store.conversation.id if store.conversation else None


def pinned(store: Store) -> bool:
    """Whether that one is pinned, as far as is known."""
    head = store.conversation.head if store.conversation else None
    return bool(head and head.pinned)


def lanes(diagram: SequenceDiagram) -> Sequence[str]:
    """The members on screen."""
    assert diagram._layout is not None
    return diagram._layout.lanes


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, reading = Store.asked, Store.read
    monkeypatch.setattr(
        Store, "asked", lambda self, agent=None, **what: asked(self, agent=agent, **unmeasured(what))
    )
    monkeypatch.setattr(Store, "read", lambda self, opened, detail: reading(self, opened, unmeasured(detail)))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_build_that_waits(size: tuple[int, int], tmp_path: Path, shot: Shot) -> None:
    async with counted(tmp_path, size) as (caxton, one):
        await caxton.client.pin("c-1")
        held = await caxton.client.deploy("tally", tally(step=2), how=GATE)
        await one.until(
            lambda store: (
                store.waiting
                and read(caxton)(store)
                and any(item.pinned for item in store.conversations)
                and pinned(store) is (opened(store) == "c-1")
            ),
            look=True,
        )
        if size == (120, 40):
            await one.press("down", "down", "enter")
            await one.until(
                lambda store: opened(store) == "c-1" and pinned(store),
                look=True,
            )
            await one.until(read(caxton), look=True)
            shot(one.app, "pinned")
        await one.press("4", "g", "n")
        await one.until(
            lambda store: store.deployment and store.deployment.id == held.id and store.turns, look=True
        )
        shot(one.app, "waits")
        if size == (120, 40):
            await one.press("d")
            shot(one.app, "difference")


async def test_letters_traces_and_an_answer_to_write(tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        await one.press("semicolon")
        shot(one.app, "jump")
        await one.press("escape", "t")
        await one.shown(lambda: one.app.main_screen.switcher.the(TracesPane).waterfall.bars)
        await one.until(read(caxton), look=True)
        shot(one.app, "traces")
        await one.press("1", "c", *"seller-ann", "tab")
        shot(one.app, "compose")


async def test_a_busy_market(tmp_path: Path, shot: Shot) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        await caxton.trade(rounds=12)
        await one.until(read(caxton), look=True)
        await one.press("slash", *"conv:~^market-[0-9]*$", "enter", "home")
        await one.until(
            lambda store: store.conversation and store.conversation.id == "market-12" and read(caxton)(store),
            look=True,
        )
        shot(one.app, "busy")


async def test_the_daemon_is_gone_on_a_large_screen(tmp_path: Path, shot: Shot) -> None:
    async with stage(tmp_path, (120, 40), pauses_s=[5.0]) as one:
        async with daemon(market(tmp_path)) as caxton:
            await caxton.trade()
            await one.until(settled(caxton), look=True)
            await one.press("5")
        await one.until(lambda store: store.connection.link is Link.LOST)
        one.clock.advance(2)
        await one.paint()
        shot(one.app, "lost")


@pytest.mark.parametrize(
    ("size", "look"),
    [((80, 24), "textual-light"), ((120, 40), "caxton-dark"), ((200, 50), "no-colour")],
)
async def test_who_talks_to_whom_two_side_by_side_and_a_range_of_time(
    size: tuple[int, int], look: str, tmp_path: Path, shot: Shot, monkeypatch: pytest.MonkeyPatch
) -> None:
    if look == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, size) as one:
        if look == "textual-light":
            one.app.theme = look
        await caxton.trade(rounds=2)
        await one.until(read(caxton), look=True)
        await one.until(heard(caxton), look=True)
        await one.press("W")
        shot(one.app, "links")
        await one.press("escape", "at")
        shot(one.app, "range")
        await one.press("escape")
        table = one.app.main_screen.switcher.the(ConversationsPane).main
        for number, thing in enumerate(table.things):
            if thing.id in ("market-1", "market-2"):
                table.put(number)
                await one.press("space")
        await one.press("D")
        await one.shown(lambda: isinstance(one.app.screen, CompareScreen))
        shot(one.app, "compare")


async def test_many_members(tmp_path: Path, shot: Shot) -> None:
    names = [f"operator.member-{letter}" for letter in "abcdefghijkl"]
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (120, 40)) as one:
        for sender, receivers in ((0, names[1:]), (3, names[:1]), (11, names[:1]), (7, names[8:9])):
            await caxton.client.send(
                {
                    "performative": "inform",
                    "receiver": receivers,
                    "conversation_id": "many",
                    "content": {"n": sender},
                },
                sender=names[sender],
            )
        await one.until(read(caxton), look=True)
        await one.press("tab")
        shot(one.app, "lanes")
        diagram = one.app.main_screen.switcher.the(ConversationsPane).diagram
        assert diagram.timeline is not None
        names_of = lanes(diagram)
        await one.press(*["greater_than_sign"] * 6)
        assert lanes(diagram)[0] == names_of[0]
        assert lanes(diagram)[-2] == diagram.timeline.lanes[-1]
        await one.press(*["comma"] * 6)
        assert lanes(diagram) == names_of
