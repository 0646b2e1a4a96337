"""Inside a diagram and a message: what is looked for, folded, copied."""

from __future__ import annotations

from pathlib import Path

from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.widgets.status_bars import StatusLine

from .harness import Stage, daemon, market, read, stage


def status(one: Stage) -> str:
    one.app.main_screen.flush()
    return one.app.main_screen.query_one(StatusLine).text.plain


async def test_a_text_is_looked_for_in_a_diagram_and_in_a_message(tmp_path: Path) -> None:
    async with daemon(market(tmp_path)) as caxton, stage(tmp_path) as one:
        await caxton.client.send(
            {
                "performative": "inform",
                "receiver": ["buyer"],
                "conversation_id": "order-0",
                "content": {"long": "x" * 200, "items": [{"price": 7, "needle": "hay"}, {"price": 8}]},
            }
        )
        await caxton.trade()
        await one.until(read(caxton), look=True)
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        place = next(n for n, body in enumerate(pane.main.things) if body.id == "order-0")
        await one.press("home", *["down"] * place, "enter")
        await one.until(lambda _: pane.diagram.timeline is not None and pane.diagram.timeline.id == "order-0")
        # what a line has no room for is found in it, too
        await one.press("slash", *"NEEDLE", "enter")
        assert pane.diagram.has_focus
        assert pane.diagram.cursor == 0
        assert "/NEEDLE  1 of 1 found" in status(one)
        await one.press("escape")
        assert not pane.diagram.sought
        assert "found" not in status(one)

        await one.press("enter", "tab")
        detail = pane.detail
        assert detail.has_focus
        await one.press("slash", *"price", "enter")
        first = detail.cursor
        assert detail.copied == "7"
        await one.press("n")
        assert detail.copied == "8"
        await one.press("n")
        assert detail.cursor == first
        await one.press("Y")
        assert one.app.clipboard == ".items[0].price"
        # folding shuts what the cursor stands in, copying takes all of it
        await one.press("space")
        assert detail.chosen is not None
        assert detail.chosen.path == ".items[0]"
        await one.press("y")
        assert one.app.clipboard == '{\n  "price": 7,\n  "needle": "hay"\n}'
        folded = detail.total
        await one.press("enter")
        assert detail.total == folded + 3
        await one.press("u")
        assert detail.total < folded
        await one.press("u")
        wrapped = detail.total
        await one.press("w")
        assert detail.total < wrapped
        await one.press("escape")
        assert detail.display
        assert not detail.sought
        await one.press("escape")
        assert not detail.display
