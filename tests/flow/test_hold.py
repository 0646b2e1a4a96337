"""A market that is held: what its agents say is stopped, the daemon is killed, and everything goes on legally."""

from __future__ import annotations

import json
from pathlib import Path

from cli.command import caxton

from caxton.schemas.held import HeldBody
from caxton.schemas.shape import Message

from .conversations import PATIENCE_S, Json, Talks
from .running import EXAMPLES, running

FOLDER = EXAMPLES / "market"
BUY: Json = {"action": "buy", "item": "book", "rounds": 1, "pause_ms": 0}


def configuration() -> str:
    return (FOLDER / "caxton.toml").read_text()


def held_in(talks: Talks, count: int) -> list[HeldBody]:
    """Wait until so many are held."""
    found = talks.client.held()
    for _ in talks.client.events(after=0, kinds=["held", "released"]):
        found = talks.client.held()
        if len(found) >= count:
            break
    return found


def test_a_round_that_is_held_through_a_kill_ends_as_it_would_have(tmp_path: Path) -> None:
    with running(tmp_path / "market", configuration(), [*FOLDER.glob("*.wasm")]) as daemon:
        with daemon.client(60.0) as client:
            talks = Talks(daemon.folder, client)
            client.add_break("act:propose,accept-proposal", name="offers")
            order = talks.send("request", "buyer", BUY, protocol="fipa-request")
            first = held_in(talks, 1)
            assert {one.message.performative for one in first} == {"propose"}
        daemon.kill()
        daemon.start()
        with daemon.client(60.0) as client:
            talks = Talks(daemon.folder, client)
            again = client.held()
            assert [one.seq for one in again][: len(first)] == [one.seq for one in first]
            conversation = again[0].message.conversation_id
            shown = caxton("conv", "show", conversation, cwd=daemon.folder).stdout
            assert f"⏸ held as {again[0].seq}" in shown
            # every step is let go by hand, one after the other
            ended: Message | None = None
            while ended is None:
                client.release_some(following=True)
                for row in client.messages(conversation=order.conversation_id):
                    if row.message.performative == "inform":
                        ended = row.message
                if ended is None and not client.held():
                    held_or_ended(talks, order.conversation_id)
            assert ended.content["bought"] + ended.content["failed"] == 1
            assert client.status().counts["violations"] == 0
            gone = client.remove_break("offers", then="release")
            assert gone.hits >= 2
            talks.judge()
            said = caxton("doctor", "-o", "json", cwd=daemon.folder)
            (line,) = [one for one in json.loads(said.stdout) if one["name"] == "held"]
            assert line["state"] == "ok"


def held_or_ended(talks: Talks, order: str) -> None:
    """Wait until something is held, or the order has its result."""
    for _ in talks.client.events(after=0, kinds=["held", "message"]):
        if talks.client.held():
            return
        rows = talks.client.messages(conversation=order)
        if any(row.message.performative == "inform" for row in rows):
            return


def test_a_task_waits_as_long_as_its_messages_are_held_also_over_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "market", configuration(), [*FOLDER.glob("*.wasm")]) as daemon:
        wish = {
            "protocol": "contract-net",
            "to": ["seller-ann", "seller-bob"],
            "content": {"item": "book"},
            "reply_by": "3s",
            "choose": "lowest:price",
        }
        with daemon.client(60.0) as client:
            client.add_break("act:cfp", count=1)
            task = client.run_task(wish, wait_s=0.0)
            (cfp,) = held_in(Talks(daemon.folder, client), 1)
            # longer than its answers may take
            client.delay(cfp.seq, "4s")
        daemon.kill()
        daemon.start()
        with daemon.client(60.0) as client:
            ended = client.task(task.id, wait_s=PATIENCE_S)
            assert ended.state == "Completed"
            assert ended.ending in ("achieved", "not-achieved")
            assert ended.sent["cfp"] == 1
            assert ended.late == 0
            rows = client.conversation(task.id).items
            assert [row.message.performative for row in rows].count("cfp") == 1
            assert rows[0].held.held_us >= 3_900_000
            assert client.status().counts["violations"] == 0
            Talks(daemon.folder, client).judge()


def test_what_was_changed_is_remembered_and_what_was_said_is_replayed(tmp_path: Path) -> None:
    configuration = 'cells = 1\n[agents.counter]\nwasm = "counter.wasm"\n[agents.echo]\nwasm = "echo.wasm"\n'
    with running(tmp_path / "counting", configuration) as daemon:
        with daemon.client(60.0) as client:
            client.add_break("to:counter", name="asked")
            talks = Talks(daemon.folder, client)
            talks.send("request", "counter", {"add": 3}, conversation_id="sum")
            (held,) = client.held()
            client.edit(held.seq, {"content": {"add": 10}})
            client.release(held.seq)
            client.remove_break("asked")
            client.add_break("from:echo", count=1)
            talks.send("request", "echo", "said", conversation_id="word")
            (held,) = held_in(talks, 1)
            client.edit(held.seq, {"content": "changed"})
            client.release(held.seq)
            assert client.conversation("word").items[-1].message.content == "changed"
            # an agent is not measured by what somebody else has made of its words
            totals = client.replay(["sum", "word"]).totals
            assert (totals.same, totals.changed) == (2, 0)
        daemon.kill()
        daemon.start()
        with daemon.client(60.0) as client:
            (answer,) = Talks(daemon.folder, client).ask("request", "counter", {"add": 1})
            assert answer["content"] == {"count": 11}


def test_a_task_can_be_cancelled_while_its_messages_are_held(tmp_path: Path) -> None:
    modules = [*FOLDER.glob("*.wasm")]
    with running(tmp_path / "market", configuration(), modules) as daemon, daemon.client(60.0) as client:
        talks = Talks(daemon.folder, client)
        client.add_break("act:propose", count=1)
        wish = {"protocol": "contract-net", "to": ["seller-ann"], "content": {"item": "book"}}
        task = client.run_task({**wish, "choose": "first"}, wait_s=0.0)
        held = held_in(talks, 1)
        client.cancel_task(task.id, wait_s=0.0)
        client.drop(held[0].seq)
        ended = client.task(task.id, wait_s=PATIENCE_S)
        assert ended.ending is not None
        talks.judge()
