"""The first day with keys only, beside the development loop: find the refused offer, see why, mend the seller's source,
see what the gate says, accept it, watch the next round.

The file is saved as an editor saves it (that `E` opens one is seen in `test_editing`); everything else is keys. Loop,
compiler and daemon are the real ones.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from devloop.project import looping

from caxton.client import AsyncClient
from caxton.daemon_socket import socket_path
from caxton.devloop import GateOptions
from caxton.devloop.events import AwaitingDecision, Deployed, Watching
from caxton_tui.screens.panes.changes import ChangesPane
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.screens.panes.log import LogPane
from caxton_tui.widgets.status_bars import StatusLine, TextLine

from .harness import ORDER, PATIENCE_S, ROOT, opened, stage
from .test_gate import card

REFUSES, MENDED = '{"grumpy", 0, 20, 30, 20}', '{"grumpy", 0, 20, 0, 20}'


def settle(folder: Path) -> None:
    """The market, whose sellers are built from their source."""
    source = ROOT / "agents-examples" / "market"
    for name in ("buyer.wasm", "seller.c", "seller.wasm", "caxton.toml"):
        shutil.copy(source / name, folder)


async def order(caxton: AsyncClient, name: str, rounds: int) -> None:
    """Let the buyer buy; done when it has reported."""
    content = {**ORDER["content"], "rounds": rounds}
    said = await caxton.send(
        {**ORDER, "conversation_id": name, "content": content}, wait_s=PATIENCE_S, replies=2
    )
    assert [reply.message.performative for reply in said.replies] == ["agree", "inform"]


async def test_the_seller_that_refused_is_mended(tmp_path: Path) -> None:
    settle(tmp_path)
    async with looping(tmp_path, gate=GateOptions("replay", 20, PATIENCE_S)) as project:
        await project.next(Watching)
        async with (
            AsyncClient(socket_path(tmp_path / ".caxton"), timeout=PATIENCE_S) as caxton,
            stage(tmp_path, (120, 40)) as one,
        ):
            await order(caxton, "order-1", 8)
            frame, talks = one.app.main_screen, one.app.main_screen.switcher.the(ConversationsPane)

            # the refused offer, in the log, and in its conversation
            await one.until(
                lambda store: sum(entry.act == "inform" and entry.to == "operator" for entry in store.entries)
            )
            await one.press("5", "slash", *"act:refuse", "enter", "end")
            refusal = frame.switcher.the(LogPane).main.chosen
            assert refusal is not None
            assert refusal.sender == "seller-cleo"
            await one.press("o")
            await one.until(
                opened(refusal.conversation),
                look=True,
            )
            # why: it says so
            await one.press("home", "n")
            why = talks.query_one("#said", TextLine).text.plain
            assert "refuse  seller-cleo → buyer" in why
            assert "not in the mood" in why
            assert talks.agent == "seller-cleo"
            # that answer must not change unseen
            await one.press("p")
            await one.until(
                lambda store: (
                    store.conversation and store.conversation.head and store.conversation.head.pinned
                ),
                look=True,
            )

            # mend the source
            before = (await caxton.agent("seller-cleo")).revision
            text = (tmp_path / "seller.c").read_text()
            assert text.count(REFUSES) == 1
            project.save("seller.c", text.replace(REFUSES, MENDED))
            held = await project.next(AwaitingDecision)
            assert held.agent == "seller-cleo"

            # what the gate says of it
            await one.until(lambda store: store.waiting, look=True)
            assert "1 build waiting: 4" in frame.query_one(StatusLine).text.plain
            await one.press("4", "home", "n")
            await one.until(
                lambda store: store.deployment and store.deployment.id == held.deployment, look=True
            )
            changes = frame.switcher.the(ChangesPane)
            assert changes.agent == "seller-cleo"
            assert f"an answer changes in pinned {refusal.conversation}" in card(one)
            await one.press("d")
            assert '"refuse" → "propose"' in card(one)
            assert (await caxton.agent("seller-cleo")).revision == before

            # accept it
            await one.press("a")
            await one.until(lambda store: not store.waiting, look=True)
            mended = (await caxton.agent("seller-cleo")).revision
            assert mended == held.revision != before
            while (await project.next(Deployed)).agent != "seller-cleo":
                pass  # the other sellers' builds answered as before, and went in by themselves

            # watch the next rounds: it does not refuse any more
            await order(caxton, "order-2", 8)
            await one.press("1", "slash", *"conv:~16$", "enter", "home", "enter")
            await one.until(opened("market-16"), look=True)
            timeline = talks.diagram.timeline
            assert timeline is not None
            assert timeline.id == "market-16"
            said = [spoken.act for spoken in timeline.spoken if spoken.sender == "seller-cleo"]
            assert said[0] == "propose"
            handled = {
                turn.revision
                for line in timeline.spoken
                for turn in line.turns
                if turn.agent == "seller-cleo"
            }
            assert handled == {mended[:7]}
