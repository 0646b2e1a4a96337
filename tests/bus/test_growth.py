"""What conversations leave in memory: the open ones, the latest complete ones, and no more."""

from __future__ import annotations

from caxton.acl import Message, Performative
from caxton.bus.conversation_states import STALE_MAX
from caxton.bus.conversations import Conversations
from caxton.bus.referee_service import RefereeService
from caxton.journal import Batch, ConversationState

from .harness import Rings

KEPT = 50
MANY = 3 * STALE_MAX


def hear(
    referee_service: RefereeService,
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
    verdict = referee_service.hear(message, seq)
    return verdict.rule if verdict is not None and verdict.legality == "violation" else ""


def test_of_complete_conversations_only_the_latest_stay() -> None:
    rings, batch = Rings(), Batch()
    referee_service = RefereeService(rings, complete=KEPT)
    hear(referee_service, 1, Performative.REQUEST, "i@local", "a@local", "open")
    for number in range(MANY):
        hear(referee_service, 2 * number + 2, Performative.REQUEST, "i@local", "a@local", f"c{number}")
        hear(referee_service, 2 * number + 3, Performative.INFORM, "a@local", "i@local", f"c{number}")
    assert len(referee_service.known) == MANY + 1, "what is not written down is not forgotten"
    last = 2 * MANY + 1
    referee_service.write(batch, last, all_of_it=True)
    assert len(referee_service.known) == KEPT + 1
    assert referee_service.known["open"].open
    written = [row for row in batch.records if isinstance(row, ConversationState)]
    assert len(written) == MANY + 1
    rule = hear(referee_service, last + 1, Performative.REQUEST, "j@local", "b@local", f"c{MANY - 1}")
    assert rule == "already-in-use", "a recent one is remembered"
    assert hear(referee_service, last + 2, Performative.REQUEST, "j@local", "b@local", "c0") == "", (
        "it begins anew"
    )
    waits = referee_service._due  # pyright: ignore[reportPrivateUsage]
    assert len(waits) <= STALE_MAX
    assert "open" in {id for _, id in waits}
    referee_service.close()


def test_a_complete_conversation_that_goes_on_is_waited_for_again() -> None:
    referee_service = RefereeService(rings := Rings(), complete=0)
    steps = (
        (Performative.INFORM, "i@local"),
        (Performative.CFP, "i@local"),
        (Performative.PROPOSE, "a@local"),
        (Performative.ACCEPT_PROPOSAL, "i@local"),
        (Performative.INFORM, "i@local"),
    )
    for seq, (act, sender) in enumerate(steps):
        other = "a@local" if sender == "i@local" else "i@local"
        assert hear(referee_service, seq, act, sender, other, "sale", "fipa-auction-english") == ""
    sale = referee_service.known["sale"]
    assert not sale.open
    referee_service._sort(sale)  # pyright: ignore[reportPrivateUsage]
    assert (
        hear(referee_service, 9, Performative.REQUEST, "i@local", "a@local", "sale", "fipa-auction-english")
        == ""
    )
    referee_service.write(Batch(), 9, all_of_it=True)
    assert referee_service.known == {"sale": sale}, "it is open, so it stays"
    rings.passed_us = 301_000_000
    ended: list[str] = []
    referee_service.listen(lambda id, effects: ended.append(id))
    while not ended:
        rings.ring()
    assert sale.expired
    referee_service.close()


def test_conversations_of_the_same_members_share_them() -> None:
    talks, batch = Conversations(), Batch()
    for number in range(3):
        talk = talks.open(batch, f"c{number}", number, 0, "i@local", None)
        talks.join(batch, talk, ["i@local", "a@local"])
    talks.join(batch, talks.entries["c2"], ["a@local", "b@local", "b@local"])
    members = [talk.members for talk in talks.entries.values()]
    assert members[0] is members[1]
    assert members[2] == {"i@local", "a@local", "b@local"}
    assert len(batch.participants) == 7, "each of them is written down once"
