"""Held messages in the terminal: the box with them and the break points, the diagram, and what is done by keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.widgets import Input

from caxton.diagram import Mark
from caxton_tui import CaxtonApp
from caxton_tui.forms.held_forms import EditHeldForm, LineForm
from caxton_tui.forms.message_form import Content
from caxton_tui.screens.held import HeldScreen
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import Daemon, Stage, daemon, market, settled, stage

Shot = Callable[[CaxtonApp, str], None]


async def say(caxton: Daemon, content: object, conversation: str = "talk") -> int:
    """One client says something to another; the number under which it is held."""
    message = {
        "performative": "request",
        "protocol": "fipa-request",
        "receiver": ["operator.bob"],
        "content": content,
        "conversation_id": conversation,
    }
    said = await caxton.client.send(message, sender="operator.ann")
    assert said.held
    return int(said.seq)


def box(one: Stage) -> HeldScreen:
    """The box, as it is now."""
    screen = one.app.screen
    assert isinstance(screen, HeldScreen)
    screen.flush()
    return screen


async def test_held_messages_are_seen_and_let_go_changed_and_dropped_by_keys(
    tmp_path: Path, shot: Shot
) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.client.add_break("to:bob", name="bob")
        seqs = [await say(caxton, {"price": price}, f"talk-{price}") for price in (7, 8, 9)]
        await one.until(settled(caxton), look=True)
        await one.until(lambda store: len(store.held) == 3 and store.breaks, look=True)
        await one.until(
            lambda store: (
                len(store.conversations) == 3
                and store.conversation
                and store.conversation.head
                and store.conversation.head.held
            ),
            look=True,
        )
        await one.press("H")
        assert [getattr(row, "seq", None) for row in box(one).list.rows] == [None, *seqs]
        # the cursor stands on what was held first
        assert box(one).list.cursor == 1
        shot(one.app, "held")

        await one.press("e")
        assert isinstance(one.app.screen, EditHeldForm)
        one.app.screen.query_one(Content).text = '{"price": 70}'
        one.app.screen.query_one("#compose-act", Input).value = "query-ref"
        await one.press("f5")
        await one.until(lambda store: store.held[0].edited, look=True)
        message = (await caxton.client.held_message(seqs[0])).message
        assert (message.performative, message.content) == ("query-ref", {"price": 70})

        await one.press("r")
        await one.until(lambda store: len(store.held) == 2, look=True)
        box(one)
        await one.press("down", "d", "y")
        await one.until(lambda store: len(store.held) == 1, look=True)
        states = [(await caxton.client.held_message(seq)).state for seq in seqs]
        assert states.count("dropped") == 1
        assert states[0] == "released"
        box(one)
        await one.press("space")
        await one.until(lambda store: not store.held, look=True)
        box(one)
        await one.press("home", "x")
        await one.until(lambda store: not store.breaks, look=True)
        assert caxton.runtime.bus.interceptor is None


async def test_a_delay_and_a_break_point_are_asked_for(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (80, 24)) as one:
        await one.until(settled(caxton), look=True)
        await one.press("H", "b")
        form = one.app.screen
        assert isinstance(form, LineForm)
        await one.press(*"state:x", "enter")
        # the daemon says no, and what was written stands there again
        await one.shown(lambda: one.app.screen is not form and isinstance(one.app.screen, LineForm))
        assert one.app.screen.query_one(Input).value == "state:x"
        assert not caxton.runtime.hold.points.on
        await one.press("escape", "b", *"nosuch:x", "enter")
        assert isinstance(one.app.screen, LineForm)
        await one.press("escape")
        await one.press("b", *"to:bob", "enter")
        await one.until(lambda store: store.breaks, look=True)
        seq = await say(caxton, 1)
        await one.until(lambda store: store.held, look=True)
        box(one)
        await one.press("w", "enter")
        await one.until(lambda store: store.held and store.held[0].due_at, look=True)
        assert caxton.runtime.hold.get(seq).due_us is not None


async def test_the_cursor_stays_on_its_message_when_somebody_else_decides(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (80, 24)) as one:
        await caxton.client.add_break("to:bob")
        seqs = [await say(caxton, number) for number in range(3)]
        await one.until(lambda store: len(store.held) == 3 and store.breaks, look=True)
        await one.press("H")
        told = str(one.app.screen.query_one(".box").border_subtitle)
        assert "x remove" in told
        assert len(told) < 75
        await one.press("down")
        assert held_at(one) == seqs[1]
        await caxton.client.release(seqs[0])
        await one.until(lambda store: len(store.held) == 2, look=True)
        assert held_at(one) == seqs[1]
        await caxton.client.release(seqs[1])
        await one.until(lambda store: len(store.held) == 1, look=True)
        assert held_at(one) == seqs[2]


async def test_a_held_message_stands_in_the_diagram_and_its_deadline_does_not_pass(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.client.add_break("to:bob", count=1)
        await say(caxton, 1)
        await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.conversation and store.conversation.head, look=True)
        diagram = one.app.main_screen.switcher.the(ConversationsPane).diagram
        await one.shown(lambda: [line.mark for line in diagram.lines] == [Mark.HELD])
        await one.until(lambda store: store.held, look=True)
        await one.press("H", "a")
        await one.until(lambda store: not store.held, look=True)
        await one.press("escape")
        await one.shown(lambda: [line.mark for line in diagram.lines] == [Mark.MESSAGE])


async def test_the_filter_in_force_becomes_a_break_point_by_one_key(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await one.until(settled(caxton), look=True)
        await one.press("5", "slash", *"act:refuse", "enter", "B")
        await one.until(lambda store: store.status and store.status.held.break_points, look=True)
        assert [point.filter for point in caxton.runtime.hold.points.on] == ["act:refuse"]


async def test_who_only_looks_lets_nothing_go(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, read_only=True) as one:
        await caxton.client.add_break("to:bob")
        await say(caxton, 1)
        await one.until(lambda store: store.held, look=True)
        await one.press("H")
        box(one)
        await one.press("a", "x")
        await one.until(settled(caxton), look=True)
        assert len(caxton.runtime.hold) == 1


def held_at(one: Stage) -> int | None:
    """The number of the held message at the cursor."""
    found = box(one).list.message
    return None if found is None else found.seq


async def test_what_needs_a_yes_is_said_on_every_screen_and_decided_by_keys(tmp_path: Path) -> None:
    folder = market(tmp_path)
    with (folder / "caxton.toml").open("a") as file:
        file.write('\n[approvals.payments]\nwhere = "to:bob"\n')
    async with daemon(folder) as caxton, stage(tmp_path) as one:
        first, second = await say(caxton, {"price": 7}), await say(caxton, {"price": 8}, "other")
        await one.until(lambda store: len(store.held) == 2, look=True)
        assert "2 approvals wanted: H" in str(one.app.screen.query_one(StatusLine).render())
        await one.press("H")
        assert [getattr(row, "approval", None) for row in box(one).list.rows] == ["payments"] * 2
        await one.press("e")
        one.app.screen.query_one(Content).text = '{"price": 70}'
        await one.press("f5")
        await one.until(lambda store: store.held and store.held[0].edited, look=True)
        await one.press("r")
        await one.press("y")
        await one.until(lambda store: len(store.held) == 1, look=True)
        shown = await caxton.client.approval(first)
        assert (shown.state, shown.message.content) == ("approved", {"price": 70})
        await one.press("d")
        await one.press("y")
        await one.until(lambda store: not store.held, look=True)
        assert (await caxton.client.approval(second)).state == "refused"
