"""Any participants whatever: each task ends in time, says only what is legal, and is read back as it was.

The walk has no runtime: a task's ledger and plan against a referee that stands for the platform, and participants that
say what they like when they like.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.acl.message import Message
from caxton.acl.performative import Performative
from caxton.acl.reply_by import time_text
from caxton.protocols import Legality, Referee, library
from caxton.protocols.conversation import NEVER
from caxton.tasks import Order, TaskRequest, read_task_request
from caxton.tasks.ledger import Ledger
from caxton.tasks.outgoing import OutgoingMessage
from caxton.tasks.plan import CANCEL_WAIT_US, is_done, next_messages
from caxton.tasks.view import TaskSummary, ending_of, replayed, state_of, view_of

START_US = 1_700_000_000_000_000
LIBRARY = library()
ACTS = [Performative(act) for act in ("propose", "refuse", "inform", "failure", "agree", "not-understood",
                                      "accept-proposal", "reject-proposal", "cfp", "request")]  # fmt: skip
WISHES: list[dict[str, Any]] = [
    {"protocol": "request"},
    {"protocol": "query", "act": "query-if"},
    {"protocol": "request-when"},
    {"protocol": "propose"},
    {"protocol": "subscribe", "informs": 2},
    {"protocol": "subscribe"},
    {"protocol": "contract-net", "choose": "lowest:price"},
    {"protocol": "contract-net", "choose": "highest:price", "winners": 2},
    {"protocol": "contract-net", "choose": "first"},
    {"protocol": "contract-net", "choose": "all"},
    {"protocol": "contract-net", "choose": "none"},
    {"protocol": "iterated-contract-net", "choose": "lowest:price", "rounds": 3},
    {"protocol": "auction-english", "price": 10, "step": 2, "limit": 12},
    {"protocol": "auction-dutch", "price": 10, "step": 3, "winners": 2},
]
RAW = {price: msgspec.Raw(msgspec.json.encode({"price": price})) for price in (1, 2, 3, None)}


class Walk:
    """A task, the platform that judges what is said in its conversation, and the time."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.now_us = START_US
        self.ledger = Ledger(order, LIBRARY, "t-1")
        self.platform = Referee(LIBRARY, seen=0)
        self.said: list[Message] = []

    def speak(self, draw: st.DataObject) -> None:
        """One step of the world: somebody speaks, or time passes up to the next thing that it brings."""
        name = draw.draw(st.sampled_from([*self.order.participants, "time", "ams", "stranger@local"]))
        if name == "time":
            waits_for = self.order.deadline_us if self.now_us <= self.order.deadline_us else NEVER
            goal = min(self.ledger.next_us, waits_for) + 1
            self.now_us = draw.draw(st.sampled_from([self.now_us + 1, max(goal, self.now_us + 1)]))
            return
        act = Performative.FAILURE if name == "ams" else draw.draw(st.sampled_from(ACTS))
        asked = [one.reply_with for one in self.said if one.sender == self.order.initiator]
        content = RAW[draw.draw(st.sampled_from([1, 2, 3, None]))]
        if name == "ams":
            lost = {"receiver": draw.draw(st.sampled_from(self.order.participants))}
            name, content = "ams@local", msgspec.Raw(msgspec.json.encode(lost))
        self.hear(
            Message(
                f"m-{len(self.said)}", act, name, [self.order.initiator],
                "t-1", "", "", self.now_us,
                content,
                draw.draw(st.sampled_from([None, self.order.protocol])),
                draw.draw(st.sampled_from([None, f"a-{len(self.said)}"])),
                draw.draw(st.sampled_from([None, *asked[-3:]])),
                draw.draw(st.sampled_from([None, time_text(self.now_us + 3_000_000)])),
            )
        )  # fmt: skip

    def say(self, words: OutgoingMessage) -> None:
        reply_by = time_text(words.reply_by_us) if words.reply_by_us is not None else None
        message = Message(
            f"m-{len(self.said)}", words.act, self.order.initiator, list(words.receivers), "t-1", "", "",
            self.now_us, words.content, self.order.protocol, f"w-{self.ledger.words}", words.in_reply_to, reply_by,
        )  # fmt: skip
        verdict = self.platform.judge(message, self.now_us)
        assert verdict.legality is Legality.LEGAL, (message, verdict)
        self.said.append(message)
        self.ledger.hear(message)

    def hear(self, message: Message) -> None:
        self.platform.judge(message, self.now_us)
        self.said.append(message)
        self.ledger.pass_time(self.now_us)
        self.ledger.hear(message)


@settings(max_examples=examples(150))
@given(st.sampled_from(WISHES), st.booleans(), st.data())
def test_a_task_always_ends_and_never_breaks_a_rule(
    wish: dict[str, Any], enforced: bool, draw: st.DataObject
) -> None:
    asked = TaskRequest(
        to=["a", "b", "c"], content=msgspec.Raw(b'{"item":"x"}'), reply_by="2s", deadline="20s", **wish
    )
    order = read_task_request(asked, LIBRARY, platform="local", receivers=256, now_us=START_US)
    walk = Walk(order)
    ledger = walk.ledger
    heard = 0
    while True:
        ledger.pass_time(walk.now_us)
        words = next_messages(ledger, walk.now_us, rejects_late=not enforced)
        if words:
            walk.say(words[0])
            assert ledger.broken is None
        elif is_done(ledger, walk.now_us):
            break
        else:
            heard += 1
            if heard > 60:
                # everybody falls silent, and time alone must end it
                until = order.deadline_us if walk.now_us <= order.deadline_us else NEVER
                walk.now_us = max(min(ledger.next_us, until), walk.now_us) + 1
            else:
                walk.speak(draw)
        assert len(walk.said) < 400
    assert walk.now_us <= order.deadline_us + 2 * CANCEL_WAIT_US
    ending, reason = ending_of(ledger)
    assert (reason is None) == (ending == "achieved")
    conversation = ledger.conversation
    assert conversation is not None
    walk.platform.pass_time("t-1", walk.now_us)
    assert {name: branch.state for name, branch in conversation.branches.items()} == {
        name: branch.state for name, branch in walk.platform.conversations["t-1"].branches.items()
    }
    again = replayed(order, Ledger(order, LIBRARY, "t-1"), walk.said)
    again.pass_time(walk.now_us)
    state, outcome = state_of(ledger)
    summary = TaskSummary(
        id="t-1",
        conversation_id="t-1",
        protocol=order.protocol,
        initiator=order.initiator,
        participants=list(order.participants),
        state=state,
        outcome=outcome,
        ending=ending,
        reason=reason,
        created_us=START_US,
        ended_us=walk.now_us,
    )
    assert view_of(again, summary) == view_of(ledger, summary)
    assert ending_of(again) == (ending, reason)


def test_a_task_that_never_spoke_before_its_deadline_ends_and_says_so() -> None:
    asked = TaskRequest(protocol="request", to=["a"], reply_by="2s", deadline="20s")
    order = read_task_request(asked, LIBRARY, platform="local", receivers=256, now_us=START_US)
    ledger = Ledger(order, LIBRARY, "t-1")
    assert [words.act for words in next_messages(ledger, order.deadline_us, rejects_late=True)] == ["request"]
    assert next_messages(ledger, order.deadline_us + 1, rejects_late=True) == []
    assert is_done(ledger, order.deadline_us + 1)
    assert ending_of(ledger) == ("timed-out", "a@local: nothing was said to it")
