"""A day with keys only: find the refused offer, see why, bring another build, watch the next round, go back."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from caxton_tui.model.store import Store
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.widgets.status_bars import TextLine

from .harness import ROOT, daemon, market, opened, read, stage


async def test_from_a_refusal_to_another_build_and_back(tmp_path: Path) -> None:
    # the same seller with one byte more, in a section that means nothing, is another revision
    seller = (ROOT / "agents-examples" / "market" / "seller.wasm").read_bytes()
    build = tmp_path / "next.wasm"
    build.write_bytes(seller + b"\x00\x03\x01a!")
    async with daemon(market(tmp_path / "p")) as caxton, stage(tmp_path / "p", (120, 40)) as one:
        await caxton.trade(rounds=8)
        await one.until(read(caxton), look=True)
        frame, pane = one.app.main_screen, one.app.main_screen.switcher.the(ConversationsPane)

        await one.press("5", "slash", *"act:refuse", "enter", "up")
        refusal = frame.switcher.the(LogPane).main.chosen
        assert refusal is not None
        await one.press("o")
        await one.until(opened(refusal.conversation), look=True)
        await one.press("n")
        line = pane.diagram.chosen
        assert line is not None
        assert line.spoken is not None
        assert line.spoken.act == "refuse"
        who = line.spoken.sender
        assert f"{who} → buyer" in pane.query_one("#said", TextLine).text.plain
        assert "reason=" in pane.query_one("#said", TextLine).text.plain

        def revision(store: Store) -> str:
            return next(str(agent.revision) for agent in store.agents if agent.name == who)

        before = revision(one.store)
        await one.press("colon", *f"agent show {who}", "enter", "D")
        one.app.screen.query_one("#deploy-file", Input).value = str(build)
        await one.press("enter")
        await one.until(lambda store: revision(store) != before, look=True)
        assert (await caxton.client.agent(who)).state == "running"

        await one.press("1", "f")
        await caxton.trade(conversation_id="order-2")
        await one.until(read(caxton), look=True)
        await one.until(opened("market-9"), look=True)
        timeline = pane.diagram.timeline
        assert timeline is not None
        handled = {turn.revision for spoken in timeline.spoken for turn in spoken.turns if turn.agent == who}
        assert handled == {revision(one.store)[:7]}

        await one.press("4", "b", "y")
        await one.until(lambda store: revision(store) == before, look=True)
