"""What conversations leave in memory: the open ones, the latest complete ones, and no more."""

from __future__ import annotations

from caxton.acl import Message, Performative
from caxton.bus.conduct import STALE_MAX, Conduct
from caxton.bus.conversations import Conversations
from caxton.journal import Batch, ConversationState

from .stand import Rings

KEPT = 50
MANY = 3 * STALE_MAX


def hear(
    conduct: Conduct,
    seq: int,
    act: Performative,
    sender: str,
    receiver: str,
    id: str,
    protocol: str = "fipa-request",
) -> str:
    """One message, now; by which rule it is a violation, or nothing."""
    at_us = Rings().now_us()
    message = Message(
        f"m{seq}", act, sender, [receiver], id, f"{1:032x}", f"{1:016x}", at_us, protocol=protocol
    )
    verdict = conduct.hear(message, seq)
    return verdict.rule if verdict is not None and verdict.legality == "violation" else ""


def test_of_complete_conversations_only_the_latest_stay() -> None:
    rings, batch = Rings(), Batch()
    conduct = Conduct(rings, complete=KEPT)
    hear(conduct, 1, Performative.REQUEST, "i@local", "a@local", "open")
    for number in range(MANY):
        hear(conduct, 2 * number + 2, Performative.REQUEST, "i@local", "a@local", f"c{number}")
        hear(conduct, 2 * number + 3, Performative.INFORM, "a@local", "i@local", f"c{number}")
    assert len(conduct.known) == MANY + 1, "what is not written down is not forgotten"
    last = 2 * MANY + 1
    conduct.write(batch, last, all_of_it=True)
    assert len(conduct.known) == KEPT + 1
    assert conduct.known["open"].open
    written = [row for row in batch.records if isinstance(row, ConversationState)]
    assert len(written) == MANY + 1
    rule = hear(conduct, last + 1, Performative.REQUEST, "j@local", "b@local", f"c{MANY - 1}")
    assert rule == "already-in-use", "a recent one is remembered"
    assert hear(conduct, last + 2, Performative.REQUEST, "j@local", "b@local", "c0") == "", "it begins anew"
    waits = conduct._due  # pyright: ignore[reportPrivateUsage]
    assert len(waits) <= STALE_MAX
    assert "open" in {id for _, id in waits}
    conduct.close()


def test_a_complete_conversation_that_goes_on_is_waited_for_again() -> None:
    conduct = Conduct(rings := Rings(), complete=0)
    steps = (
        (Performative.INFORM, "i@local"),
        (Performative.CFP, "i@local"),
        (Performative.PROPOSE, "a@local"),
        (Performative.ACCEPT_PROPOSAL, "i@local"),
        (Performative.INFORM, "i@local"),
    )
    for seq, (act, sender) in enumerate(steps):
        other = "a@local" if sender == "i@local" else "i@local"
        assert hear(conduct, seq, act, sender, other, "sale", "fipa-auction-english") == ""
    sale = conduct.known["sale"]
    assert not sale.open
    conduct._sort(sale)  # pyright: ignore[reportPrivateUsage]
    assert hear(conduct, 9, Performative.REQUEST, "i@local", "a@local", "sale", "fipa-auction-english") == ""
    conduct.write(Batch(), 9, all_of_it=True)
    assert conduct.known == {"sale": sale}, "it is open, so it stays"
    rings.passed_us = 301_000_000
    ended: list[str] = []
    conduct.on_time = lambda id, effects: ended.append(id)
    while not ended:
        rings.ring()
    assert sale.expired
    conduct.close()


def test_conversations_of_the_same_members_share_them() -> None:
    talks, batch = Conversations(), Batch()
    for number in range(3):
        talk = talks.open(batch, f"c{number}", number, 0, "i@local", None)
        talks.join(batch, talk, ["i@local", "a@local"])
    talks.join(batch, talks.talks["c2"], ["a@local", "b@local", "b@local"])
    members = [talk.members for talk in talks.talks.values()]
    assert members[0] is members[1]
    assert members[2] == {"i@local", "a@local", "b@local"}
    assert len(batch.participants) == 7, "each of them is written down once"
