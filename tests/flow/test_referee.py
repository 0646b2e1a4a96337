"""A conversation's state and its deadlines over `kill -9`, and what is said when an agent goes, with a real daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caxton.client import Client
from caxton.schemas.messages import ConversationDetail, SubmittedBody

from .running import running

CONFIGURATION = 'cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n[agents.other]\nwasm = "echo.wasm"\n'


def ask(caxton: Client, act: str, to: str, id: str, protocol: str, **more: Any) -> SubmittedBody:
    """Send one message of a protocol; echo answers request and query by inform, and a cfp not at all."""
    message = {"performative": act, "receiver": to, "conversation_id": id, "protocol": protocol, **more}
    return caxton.send(message, wait_s=15.0 if act == "request" else None)


def states(found: ConversationDetail) -> dict[str, str]:
    return {branch.participant.partition("@")[0]: branch.state for branch in found.branches}


def test_states_and_deadlines_survive_kill_9(tmp_path: Path) -> None:
    with running(tmp_path / "p", CONFIGURATION) as daemon:
        with daemon.client() as caxton:
            done = ask(caxton, "request", "echo", "done", "fipa-request")
            assert done.replies[0].message.performative == "inform"
            # long enough to be open when the daemon dies, short enough to pass while it is away or soon after
            late = ask(caxton, "cfp", "echo", "late", "fipa-contract-net", reply_by="800ms")
            ask(caxton, "cfp", "other", "open", "fipa-contract-net", reply_by="10m")
        daemon.kill()
        daemon.start()
        with daemon.client() as caxton:
            for event in caxton.events(after=late.seq, kinds=["branch"]):
                assert (event.data["conversation"], event.data["state"]) == ("late", "no-response")
                break
            found = {id: caxton.conversation(id) for id in ("done", "late", "open")}
            assert {id: (one.state, one.outcome, one.phase) for id, one in found.items()} == {
                "done": ("Completed", "achieved", "complete"),
                "late": ("Failed", "no-award", "complete"),
                "open": ("Initiated", None, "collecting"),
            }
            assert found["open"].deadline_at is not None
            assert {id: states(one) for id, one in found.items()} == {
                "done": {"echo": "done"},
                "late": {"echo": "no-response"},
                "open": {"other": "cfp-sent"},
            }
            # the conversation is known to have ended, so its id cannot begin another
            again = ask(caxton, "request", "echo", "done", "fipa-request")
            assert again.replies[0].message.performative == "not-understood"
            assert again.replies[0].message.content["rule"] == "already-in-use"


def test_an_agent_that_is_removed_fails_its_open_branches(tmp_path: Path) -> None:
    with running(tmp_path / "p", CONFIGURATION) as daemon, daemon.client() as caxton:
        sent = ask(caxton, "cfp", "other", "sale", "fipa-contract-net", reply_with="c")
        caxton.remove_agent("other")
        found = caxton.conversation("sale")
        told = found.items[-1].message
        assert (told.sender, told.performative, told.in_reply_to) == ("ams@local", "failure", "c")
        assert states(found) == {"other": "failed-delivery"}
        assert found.state == "Failed"
        assert sent.seq == found.items[0].seq


def test_a_violation_is_marked_and_counted(tmp_path: Path) -> None:
    with running(tmp_path / "p", CONFIGURATION) as daemon, daemon.client() as caxton:
        ask(caxton, "cfp", "other", "sale", "fipa-contract-net", reply_with="c")
        sent = ask(caxton, "accept-proposal", "other", "sale", "fipa-contract-net")
        found = caxton.conversation("sale")
        by_seq = {item.seq: item for item in found.items}
        verdict = by_seq[sent.seq].verdict
        assert (verdict.legality, verdict.rule, verdict.state) == (
            "violation",
            "out-of-sequence",
            "cfp-sent",
        )
        assert verdict.legal == ["cancel"]
        assert not verdict.delivered
        assert by_seq[sent.seq].turns == []
        assert found.violations == 1
        (listed,) = [one for one in caxton.conversations() if one.id == "sale"]
        assert (listed.violations, listed.state, listed.referee) == (1, "Initiated", "enforce")


def test_off_judges_nothing(tmp_path: Path) -> None:
    configuration = CONFIGURATION + '[referee]\nmode = "off"\n'
    with running(tmp_path / "p", configuration) as daemon, daemon.client() as caxton:
        ask(caxton, "accept-proposal", "other", "sale", "fipa-contract-net")
        found = caxton.conversation("sale")
        assert (found.state, found.branches, found.violations) == (None, [], 0)
        assert found.referee == "off"


def test_a_protocol_of_the_projects_own(tmp_path: Path) -> None:
    configuration = CONFIGURATION + '[referee]\ntables = ["*.protocol.toml"]\n'
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "ping.protocol.toml").write_text(
        """name = "ping"
title = "Ping"
[states]
asked = { phase = "executing", deadline = "timed-out" }
answered = { end = "success" }
[table]
steps = [
  { from = "start", by = "initiator", act = "request", to = "asked" },
  { from = "asked", by = "participant", act = "inform", to = "answered" },
]
"""
    )
    with running(folder, configuration) as daemon, daemon.client() as caxton:
        ask(caxton, "request", "echo", "mine", "ping")
        assert states(caxton.conversation("mine")) == {"echo": "answered"}
