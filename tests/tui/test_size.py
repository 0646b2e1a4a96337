"""Nothing that is large stops the screen: a message as long as the bus takes, a paste that is longer."""

from __future__ import annotations

from pathlib import Path

from textual import events

from caxton_tui.forms.message_form import LONGEST, Content, MessageForm
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane

from .harness import daemon, market, opened, settled, stage


async def test_a_message_of_200_kib_and_a_paste_of_1_mb(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path, (80, 24)) as one:
        await caxton.client.send(
            {
                "performative": "inform",
                "receiver": ["buyer"],
                "conversation_id": "large",
                "content": {"text": "x" * 200_000, "lines": ["y"] * 2_000},
            }
        )
        await one.until(settled(caxton), look=True)
        await one.until(opened("large"), look=True)
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.press("tab", "home", "enter")
        assert pane.detail.display
        await one.shown(lambda: pane.detail.total > 500)
        await one.press("escape", "x", "escape", "5", "up", "up", "enter")
        log = one.app.main_screen.switcher.the(LogPane)
        await one.shown(lambda: log.main.chosen)
        await one.press("c")
        screen = one.app.screen
        assert isinstance(screen, MessageForm)
        content = screen.query_one(Content)
        screen.set_focus(content)
        one.app.post_message(events.Paste("z" * 1_000_000))
        await one.shown(
            lambda: [note for note in one.app._notifications if "are too many" in str(note.message)]
        )
        assert content.text == ""
        one.app.post_message(events.Paste("z" * (LONGEST - 1)))
        await one.shown(lambda: len(content.text) == LONGEST - 1)
