"""What the keys do, seen in the store, in the daemon and on the screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.events import Key, Mount
from textual.message import Message
from textual.widgets import Input

from caxton_tui import CaxtonApp, bindings
from caxton_tui.forms.confirm import ConfirmScreen
from caxton_tui.forms.deploy_form import DeployForm
from caxton_tui.forms.message_form import Content, MessageForm
from caxton_tui.model.store import Store
from caxton_tui.screens.help import HelpScreen
from caxton_tui.screens.palette import PaletteScreen
from caxton_tui.screens.panes.agents import AgentsPane
from caxton_tui.screens.panes.changes import ChangesPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.screens.panes.meters import MetersPane
from caxton_tui.screens.panes.traces import TracesPane
from caxton_tui.screens.select_text import SelectTextScreen
from caxton_tui.settings import Settings
from caxton_tui.widgets.filter_input import FilterInput
from caxton_tui.widgets.status_bars import StatusLine, TextLine, TopLine

from .harness import ROOT, Daemon, Stage, daemon, empty, heard, market, opened, read, settled, stage


@asynccontextmanager
async def traded(
    folder: Path, size: tuple[int, int] = (120, 40), **more: object
) -> AsyncGenerator[tuple[Daemon, Stage]]:
    """The market after one round, and the app on it, its conversation read."""
    async with daemon(market(folder)) as caxton, stage(folder, size, **more) as one:
        await caxton.trade()
        await one.until(read(caxton), look=True)
        yield caxton, one


def said(one: Stage) -> str:
    """What the app told the operator."""
    return "\n".join(str(note.message) for note in one.app._notifications)


CHARACTERS = {"slash": "/", "colon": ":", "space": " "}


def burst(one: Stage, *keys: str) -> None:
    """Keys as a terminal sends them that were typed in one go: nobody waits between two."""
    for name in keys:
        one.app.post_message(Key(name, name if len(name) == 1 else CHARACTERS.get(name)))


async def test_keys_typed_before_the_first_picture_wait_until_all_panes_are_there(tmp_path: Path) -> None:
    app = CaxtonApp(tmp_path)
    typed = False

    def type_ahead(message: Message) -> None:
        nonlocal typed
        if isinstance(message, Mount) and not typed:
            typed = True
            for name in ("4", "5", "slash", "b"):
                app.post_message(Key(name, CHARACTERS.get(name, name)))

    async with app.run_test(message_hook=type_ahead) as pilot:
        async with asyncio.timeout(30):
            while app.main_screen.query_one(FilterInput).value != "b":
                await pilot.pause()
        assert isinstance(app.main_screen.pane, LogPane)


async def test_keys_in_a_burst_reach_the_box_that_the_first_opened(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        frame = one.app.main_screen
        burst(one, "5", "slash", *"act:refuse,cfp", "enter", "c", *"buyer", "tab", "tab")
        await one.shown(lambda: isinstance(one.app.screen, MessageForm) and one.app.screen.focused)
        form = one.app.screen
        await one.shown(lambda: form.focused is not None and form.focused.id == "compose-protocol")
        assert form.query_one("#compose-to", Input).value == "buyer"
        assert isinstance(frame.pane, LogPane)
        assert one.store.filter is not None
        assert one.store.filter.text == "act:refuse,cfp"
        await one.press("escape", "escape")
        burst(one, "colon", *"screen", "space", *"conv", "enter")
        await one.shown(lambda: frame.is_current and isinstance(frame.pane, ConversationsPane))
        await one.press("z")
        assert frame.maximized is frame.pane.main
        await one.press("z")
        assert frame.maximized is None
        await one.until(lambda store: store.looked_at is not None)
        one.clock.advance(0.4)
        assert "figures of" not in frame.query_one(StatusLine).text.plain
        one.store.looked_at = one.clock.monotonic() - 90
        frame.query_one(StatusLine).flush()
        assert "figures of 2m ago" in frame.query_one(StatusLine).text.plain


async def test_digits_go_to_the_screens_and_escape_back(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        frame = one.app.main_screen
        for key, kind in (
            ("2", AgentsPane),
            ("3", TracesPane),
            ("4", ChangesPane),
            ("5", LogPane),
            ("6", MetersPane),
        ):
            await one.press(key)
            assert frame.pane is frame.switcher.the(kind)
            assert frame.focused is frame.pane.main
            assert frame.query_one(TopLine).text.plain.startswith(kind.LABEL)
        await one.press("escape")
        assert frame.pane is frame.switcher.the(LogPane)
        await one.press("minus")
        assert frame.pane is frame.switcher.the(ChangesPane)


async def test_enter_and_copy_mean_the_conversation_that_is_shown(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        assert pane.diagram.timeline is not None
        shown = pane.diagram.timeline.id
        assert pane.main.cursor is None
        assert pane.main.things[0].id != shown
        await one.press("y")
        assert one.app.clipboard == shown
        await one.press("enter")
        assert pane.diagram.timeline is not None
        assert pane.diagram.timeline.id == shown


async def test_the_conversation_that_is_followed_is_drawn(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        assert pane.diagram.following
        timeline = pane.diagram.timeline
        assert timeline is not None
        assert (timeline.id, timeline.state) == ("market-1", "Completed")
        assert set(timeline.lanes) == {"buyer", "seller-ann", "seller-bob", "seller-cleo"}
        await caxton.trade(conversation_id="order-2")
        await one.until(read(caxton), look=True)
        await one.until(opened("market-2"), look=True)


async def test_a_diagram_is_stopped_scrubbed_and_followed_again(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("tab")
        diagram = pane.diagram
        assert diagram.has_focus
        last = diagram.total - 1
        await one.press("left")
        assert diagram.cursor == last
        await one.press("left", "left")
        assert diagram.cursor == last - 2
        assert diagram.chosen is not None
        assert diagram.chosen.spoken is not None
        assert f"{diagram.chosen.spoken.number} of" in diagram.title
        assert diagram.chosen.spoken.act in pane.query_one("#said", TextLine).text.plain
        assert one.app.main_screen.query_one(TopLine).text.plain.count("›") == 2
        await one.press("right", "right", "right")
        assert diagram.following
        await one.press("home", "enter")
        assert pane.detail.display
        assert "cfp" in one.app.export_screenshot()
        await one.press("escape")
        assert not pane.detail.display
        await one.press("escape")
        assert diagram.following
        await one.press("escape")
        assert pane.main.has_focus


async def test_a_conversation_is_chosen_from_the_list(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("slash", *"order", "enter", "down", "enter")
        assert pane.main.total == 1
        await one.until(opened("order-1"), look=True)
        await one.until(heard(caxton))
        assert pane.diagram.has_focus
        assert pane.diagram.timeline is not None
        assert [spoken.act for spoken in pane.diagram.timeline.spoken] == ["request", "agree", "inform"]
        await one.press("t")
        assert one.app.main_screen.pane is one.app.main_screen.switcher.the(TracesPane)
        waterfall = one.app.main_screen.switcher.the(TracesPane).waterfall
        assert [bar.turn.agent if bar.turn else None for bar in waterfall.bars] == ["buyer", None, None]
        await one.press("down", "enter")
        assert one.app.main_screen.pane is pane


async def test_an_agent_is_stopped_after_a_question_and_started_again(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("2", "down", "down")
        pane = one.app.main_screen.switcher.the(AgentsPane)
        assert pane.chosen is not None
        assert pane.chosen.name == "seller-ann"

        def state(store: Store) -> str:
            return next(agent.state for agent in store.agents if agent.name == "seller-ann")

        await one.press("s")
        assert isinstance(one.app.screen, ConfirmScreen)
        await one.press("n")
        assert state(one.store) == "running"
        await one.press("s", "y")
        await one.until(lambda store: state(store) != "running", look=True)
        assert (await caxton.client.agent("seller-ann")).state != "running"
        assert "caxton agent stop seller-ann" in said(one)
        await one.press("s")
        await one.until(lambda store: state(store) == "running", look=True)


async def test_an_agent_is_suspended_and_resumed(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("2", "down", "p")
        await one.until(lambda store: store.agents[0].state == "suspended", look=True)
        assert (await caxton.client.agent("buyer")).state == "suspended"
        await one.press("p")
        await one.until(lambda store: store.agents[0].state == "running", look=True)


async def test_the_room_of_an_agent_has_pages(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("2", "enter")
        pane = one.app.main_screen.switcher.the(AgentsPane)
        await one.until(lambda store: store.agent and store.agent.name == "buyer", look=True)
        assert pane.detail.has_focus
        pages: list[str] = []
        for _ in range(5):
            pages.append(one.app.export_screenshot(simplify=True).replace("&#160;", " "))
            await one.press("right")
        overview, _logs, conversations, mailbox, history = pages
        assert "memory_bytes" in overview
        assert "market-1" in conversations
        assert re.search(r"ok\s+propose from seller-ann", mailbox)
        assert "direct" in history
        await one.press("escape", "a")
        assert one.app.main_screen.pane is one.app.main_screen.switcher.the(LogPane)
        assert one.store.filter is not None
        assert one.store.filter.text == "agent:buyer"


async def test_a_module_is_deployed_and_rolled_back(tmp_path: Path) -> None:
    echo = ROOT / "agents-examples" / "echo" / "echo.wasm"
    async with traded(tmp_path) as (caxton, one):
        before = (await caxton.client.agent("seller-ann")).revision
        await one.press("2", "down", "down", "D")
        screen = one.app.screen
        assert isinstance(screen, DeployForm)
        screen.query_one("#deploy-file", Input).value = str(tmp_path / "missing.wasm")
        await one.press("enter")
        await one.shown(lambda: "cannot be read" in said(one))
        # the form is back as it was
        await one.shown(lambda: isinstance(one.app.screen, DeployForm))
        lines = [line.value for line in one.app.screen.query(Input)]
        assert lines == ["seller-ann", str(tmp_path / "missing.wasm"), "direct"]
        one.app.screen.query_one("#deploy-file", Input).value = str(echo)
        await one.press("enter")
        await one.until(
            lambda store: any(a.revision != before for a in store.agents if a.name == "seller-ann"),
            look=True,
        )
        await one.press("4")
        await one.until(
            lambda store: store.deployments and store.deployments[0].previous == before, look=True
        )
        pane = one.app.main_screen.switcher.the(ChangesPane)
        assert pane.chosen is not None
        assert pane.chosen.agent == "seller-ann"
        assert pane.chosen.state == "running"
        await one.press("b", "y")
        await one.until(
            lambda store: any(a.revision == before for a in store.agents if a.name == "seller-ann"),
            look=True,
        )
        assert "caxton deploy rollback" in said(one)


async def test_a_canary_is_promoted(tmp_path: Path) -> None:
    echo = ROOT / "agents-examples" / "echo" / "echo.wasm"
    async with traded(tmp_path) as (caxton, one):
        begun = await caxton.client.deploy(
            "seller-ann", echo.read_bytes(), strategy="canary", fresh_state=True
        )
        assert begun.state == "deploying"
        await one.press("4")
        await one.until(lambda store: store.deployments and store.deployments[0].id == begun.id, look=True)
        assert "of the new conversations" in one.app.export_screenshot(simplify=True).replace("&#160;", " ")
        await one.press("P", "y")
        await one.until(lambda store: store.deployments[0].state == "running", look=True)
        assert f"caxton deploy promote {begun.id}" in said(one)
        await one.press("X")
        assert "there is nothing to abort" in said(one)
        assert (await caxton.client.agent("seller-ann")).revision == begun.revision


async def test_a_message_is_written_and_its_answer_comes(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("c")
        screen = one.app.screen
        assert isinstance(screen, MessageForm)
        await one.press(*"seller-ann", "f5")
        await one.until(
            lambda store: any(e.act == "not-understood" or e.sender == "seller-ann" for e in store.entries),
            look=True,
        )
        await one.until(settled(caxton), look=True)
        entry = next(e for e in reversed(list(one.store.entries)) if e.sender == "operator")
        assert (entry.act, entry.to) == ("request", "seller-ann")


async def test_a_protocol_is_completed_by_either_name_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("c", "tab", "tab", *"contr")
        screen = one.app.screen
        line = screen.query_one("#compose-protocol", Input)
        await one.press("right")
        assert line.value == "contract-net"
        await one.press(*"zz")
        note = str(screen.query_one(".note").render())
        assert "! contract-netzz is none of FIPA's protocols" in note


async def test_a_task_is_started_and_opened(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("T", "enter")
        assert "nobody is named to take part" in said(one)
        await one.press(*"seller-ann,seller-bob", "tab", *"{", *'"item":"pen"}', "enter")
        await one.shown(lambda: "caxton task run --protocol contract-net" in said(one))
        (task,) = await caxton.client.tasks()
        await one.until(
            opened(task.conversation_id),
            look=True,
        )
        await one.until(
            lambda store: (
                store.conversation
                and store.conversation.head
                and store.conversation.head.state == "Completed"
            ),
            look=True,
        )


async def test_an_answer_offers_what_is_legal_here(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("slash", *"order", "enter", "down", "enter")
        await one.until(opened("order-1"), look=True)
        await one.press("g", "R")
        screen = one.app.screen
        assert isinstance(screen, MessageForm)
        assert screen.query_one("#compose-conversation", Input).value == "order-1"
        note = str(screen.query_one(".note").render())
        # the order is done, and nothing more is to be said
        assert "! legal here: nothing" in note
        assert screen.query_one("#compose-act", Input).value == ""
        await one.press("escape", "A")
        again = one.app.screen
        assert isinstance(again, MessageForm)
        assert again.query_one("#compose-to", Input).value == "buyer"
        assert again.query_one("#compose-conversation", Input).value == ""
        assert '"action": "buy"' in again.query_one("#compose-content").text  # type: ignore[attr-defined]


async def test_one_key_throws_nothing_away_that_was_written(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        for key, place in (("c", "#compose-to"), ("T", "#task-to")):
            await one.press(key, "escape")
            assert one.app.screen is one.app.main_screen
            await one.press(key, *"seller", "escape")
            assert one.app.screen.query_one(place, Input).value == "seller"
            assert "esc again throws away" in said(one)
            await one.press("s", "escape")
            assert one.app.screen.query_one(place, Input).value == "sellers"
            await one.press("escape")
            assert one.app.screen is one.app.main_screen
            one.app.clear_notifications()


async def test_what_cannot_be_sent_read_or_written_is_one_note(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("c", *"buyer")
        screen = one.app.screen
        assert isinstance(screen, MessageForm)
        for text, says in (
            ('"\\ud800"', "half of a surrogate pair"),
            ("[" * 100_000, "the content"),
            ("[1, 2", "the content is not JSON"),
        ):
            screen.query_one(Content).text = text
            await one.press("f5")
            assert says in said(one)
            assert one.app.screen is screen
            one.app.clear_notifications()
        screen.query_one(Content).text = '{"long": "' + "x" * 100_000 + '"}'
        await one.press("f5")
        await one.shown(lambda: "caxton msg send" in said(one))
        assert len(said(one)) < 1_000
        await one.press("x", "ctrl+u", *"~nobody-here/x.svg", "enter")
        assert "~nobody-here/x.svg: No such file" in said(one)
        await one.press("escape", "2", "D")
        one.app.screen.query_one("#deploy-name", Input).value = "new"
        one.app.screen.query_one("#deploy-file", Input).value = "~nobody-here/x.wasm"
        await one.press("enter")
        await one.shown(lambda: "~nobody-here/x.wasm cannot be read" in said(one))


async def test_read_only_does_nothing_and_says_the_command(tmp_path: Path) -> None:
    async with traded(tmp_path, read_only=True) as (caxton, one):
        await one.press("2", "e")
        await one.shown(lambda: "read-only: restart buyer is not done here" in said(one))
        await one.press("s", "D")
        assert one.app.screen is one.app.main_screen
        last = caxton.runtime.bus.last_seq
        await one.press("c", *"buyer", "f5")
        await one.shown(lambda: "read-only: send request" in said(one))
        assert caxton.runtime.bus.last_seq == last


async def test_a_refusal_of_the_daemon_is_said_with_its_hint(tmp_path: Path) -> None:
    async with traded(tmp_path) as (caxton, one):
        await one.press("2", "down")
        await caxton.client.remove_agent("buyer")
        await one.press("e")
        await one.shown(lambda: "there is no agent 'buyer'" in said(one))


async def test_the_palette_does_what_its_words_say(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("colon")
        assert isinstance(one.app.screen, PaletteScreen)
        await one.press(*"agent show cleo", "enter")
        pane = one.app.main_screen.switcher.the(AgentsPane)
        assert one.app.main_screen.pane is pane
        assert pane.chosen is not None
        assert pane.chosen.name == "seller-cleo"
        await one.press("colon", *"agent suspend", "enter")
        await one.until(lambda store: store.agents[3].state == "suspended", look=True)
        await one.press("colon", *"no such thing", "enter")
        assert one.app.screen is one.app.main_screen


async def test_what_is_under_the_cursor_is_copied(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("2", "down", "y")
        assert one.app.clipboard == "buyer"
        await one.press("5", "up", "y")
        assert '"performative"' in one.app.clipboard
        await one.press("1", "v")
        assert isinstance(one.app.screen, SelectTextScreen)
        await one.press("y")
        assert "order-1" in one.app.clipboard
        assert one.app.screen is one.app.main_screen


async def test_a_diagram_is_written_to_a_file_that_is_not_there(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        for name, begins in (("a.svg", "<svg"), ("a.mmd", "sequenceDiagram"), ("a.txt", "market-1")):
            await one.press("x")
            one.app.screen.query_one("#export-name", Input).value = str(tmp_path / name)
            await one.press("enter")
            assert (tmp_path / name).read_text("utf-8").startswith(begins)
        await one.press("x")
        one.app.screen.query_one("#export-name", Input).value = str(tmp_path / "a.svg")
        await one.press("enter")
        await one.shown(lambda: "File exists" in said(one))


async def test_where_nothing_is_drawn_there_is_nothing_to_write(tmp_path: Path) -> None:
    async with daemon(empty(tmp_path)) as caxton, stage(tmp_path) as one:
        await one.until(settled(caxton), look=True)
        await one.press("x")
        assert "no conversation is read" in said(one)
        assert one.app.screen is one.app.main_screen


async def test_help_tells_the_keys_of_what_has_the_focus(tmp_path: Path) -> None:
    async with traded(tmp_path) as (_, one):
        await one.press("question_mark")
        screen = one.app.screen
        assert isinstance(screen, HelpScreen)
        assert {"list.choose", "conversations.export", "app.quit"} <= {told.id for told in screen.told}
        assert "diagram.unfold" not in {told.id for told in screen.told}
        await one.press("escape", "tab", "question_mark")
        screen = one.app.screen
        assert isinstance(screen, HelpScreen)
        assert "diagram.unfold" in {told.id for told in screen.told}
        await one.press("escape")
        assert one.app.screen is one.app.main_screen


async def test_other_keys_can_be_had(tmp_path: Path) -> None:
    settings = Settings("textual-light", {"app.agents": "f2", "list.down": "down,z", "app.help": "f1"})
    async with traded(tmp_path, settings=settings) as (_, one):
        await one.press("f1")
        assert isinstance(one.app.screen, HelpScreen)
        await one.press("f1")
        assert one.app.screen is one.app.main_screen
        assert one.app.theme == "textual-light"
        await one.press("2")
        assert one.app.main_screen.pane is one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("f2", "z", "z")
        pane = one.app.main_screen.switcher.the(AgentsPane)
        assert pane.chosen is not None
        assert pane.chosen.name == "seller-ann"
        await one.press("ctrl+t", "ctrl+t")
        assert one.app.theme == "textual-dark"


async def test_q_leaves_and_the_daemon_goes_on(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton:
        async with stage(tmp_path) as one:
            await one.until(heard(caxton))
            await one.pilot.press("q")
            assert one.app.return_code == 0
            assert one.app.return_value == 0
        await caxton.trade()


def test_every_key_stands_on_its_page() -> None:
    page = (ROOT / "docs" / "tui.md").read_text("utf-8")
    ids = bindings()
    assert len(ids) > 50
    assert [id for id in sorted(ids) if f"`{id}`" not in page] == []
