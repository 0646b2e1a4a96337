"""What a boss is told to do in random order, and what must have come of it, however the machine ended meanwhile.

In: a source of chance. Out: messages to send; and, from all that the boss has heard, whether each operation that was
acknowledged was done once, and each that may not have been, once or not at all.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

BOSS = """
from caxton_agent import Timeout, ask, reply, send, sleep, state

async def handle(message):
    content, heard = message.get("content"), state.setdefault("heard", [])
    if not message["sender"].startswith("operator@") or message["receiver"] != ["boss@local"]:
        heard.append([message["sender"].partition("@")[0], message["conversation_id"], content])
    elif content == "tell":
        reply("inform", heard)
    elif "call" in content:
        try:
            found = await ask("peer", "request", content["call"], timeout=1000)
            await sleep(0.5)
            found = await ask("peer", "request", found["content"], timeout=1000)
            reply("inform", found["content"])
        except Timeout:
            reply("failure", content["call"])
    else:
        for act, receiver, what, conversation in content["do"]:
            send(act, receiver, what, conversation_id=conversation)
"""
PEER = """
from caxton_agent import reply
def handle(message):
    reply("inform", message["content"])
"""
SUBSCRIBE = [
    ["subscribe", "topics", {"topic": "news/*"}, "news"],
    ["subscribe", "ams", {"name": "k*"}, "lives"],
]
Heard = Sequence[tuple[str, str, Any]]
"""Who said it, in which conversation, and what."""


class Said(NamedTuple):
    """A message of the operator's, which is to be sent."""

    to: str
    act: str
    content: Any
    talk: str


class Operations:
    """What was begun so far. `longest_ms`: no timer takes longer than that."""

    def __init__(self, pick: random.Random, longest_ms: int) -> None:
        self.pick = pick
        self.acknowledged: set[str] = set()
        """Conversations of messages that are on disk for sure."""
        self.calls: list[str] = []
        """Conversations that wait for an answer."""
        self._longest_ms = longest_ms
        self._no = 0
        self._alarms: dict[str, str] = {}
        """Tags of timers that ring once, by the conversation that sets each."""
        self._cancelled: set[str] = set()
        self._replaced: Counter[str] = Counter()
        self._beats: dict[str, tuple[str, int]] = {}
        self._news: dict[str, int] = {}
        self._children: dict[str, str] = {}
        """The conversation that asks for each, by the one in which the boss is told to."""

    def every(self) -> list[Callable[[], Said]]:
        """Every kind of operation."""
        return [
            self.alarm,
            self.cancel,
            self.replace,
            self.beat,
            self.publish,
            self.make,
            self.destroy,
            self.call,
        ]

    def next(self, of: str) -> str:
        """A name that nothing has."""
        self._no += 1
        return f"{of}{self._no}"

    def tell(self, *does: list[Any]) -> Said:
        """Let the boss say something."""
        return Said("boss", "request", {"do": does}, self.next("say-"))

    def alarm(self) -> Said:
        """A timer that rings once."""
        tag = self.next("once-")
        said = self.tell(
            ["request", "timer", {"after_ms": self.pick.randrange(self._longest_ms), "tag": tag}, tag]
        )
        self._alarms[said.talk] = tag
        return said

    def cancel(self) -> Said:
        """One of them is called off, whether it has rung or not."""
        tag = self.pick.choice([*self._alarms.values(), "none"])
        self._cancelled.add(tag)
        return self.tell(["request", "timer", {"cancel": tag}, self.next("off-")])

    def replace(self) -> Said:
        """A timer is set anew."""
        tag = self.pick.choice(["x", "y"])
        self._replaced[tag] += 1
        wish = {"after_ms": self.pick.randrange(self._longest_ms), "tag": tag, "replace": True}
        return self.tell(["request", "timer", wish, self.next("again-")])

    def beat(self) -> Said:
        """A timer that beats a few times."""
        tag, count = self.next("every-"), self.pick.randrange(1, 6)
        wish = {"every_ms": self.pick.randrange(20, self._longest_ms // 6), "count": count, "tag": tag}
        said = self.tell(["request", "timer", wish, tag])
        self._beats[said.talk] = tag, count
        return said

    def publish(self) -> Said:
        """Something is said to a topic."""
        said = Said("topic:news/all", "inform", self._no, self.next("news-"))
        self._news[said.talk] = said.content
        return said

    def make(self) -> Said:
        """The boss has a child made, by name or by prefix."""
        ask = self.next("make-")
        name = {"name": f"k{self._no}"} if self.pick.random() < 0.5 else {"prefix": "kid"}
        said = self.tell(
            ["request", "ams", {"action": "create", "description": {**name, "like": "worker"}}, ask]
        )
        self._children[said.talk] = ask
        return said

    def destroy(self, living: Collection[str] = ()) -> Said:
        """A child is to go, whether it is there or not."""
        name = self.pick.choice([*sorted(living), f"k{self.pick.randrange(1, self._no + 2)}"])
        return self.tell(
            ["request", "ams", {"action": "destroy", "description": {"name": name}}, f"end-{name}"]
        )

    def call(self) -> Said:
        """A call that waits for others, and some time."""
        said = Said("boss", "request", {"call": self._no}, self.next("call-"))
        self.calls.append(said.talk)
        return said

    # ------------------------------------------------------------------ what came of it

    def waits(self, heard: Heard) -> bool:
        """Whether something that was acknowledged has not been heard of yet."""
        tags = {what["tag"] for who, _, what in heard if who == "timer" and "tag" in what}
        alarms = {tag for talk, tag in self._alarms.items() if talk in self.acknowledged} - self._cancelled
        beats = {tag for talk, (tag, _) in self._beats.items() if talk in self.acknowledged}
        asked = {ask for talk, ask in self._children.items() if talk in self.acknowledged}
        return not (alarms | beats <= tags and asked <= {talk for _, talk, _ in heard})

    def check(self, heard: Heard, living: Collection[str]) -> None:
        """Everything was done once; `living` are the agents that are there."""
        self._check_timers([what for who, _, what in heard if who == "timer" and "tag" in what])
        news = Counter(what for who, _, what in heard if who == "operator")
        sure = {number for talk, number in self._news.items() if talk in self.acknowledged}
        assert dict(news) == {number: 1 for number in self._news.values() if number in news or number in sure}
        self._check_children([(talk, what) for who, talk, what in heard if who == "ams"], living)

    def _check_timers(self, rings: Sequence[Mapping[str, Any]]) -> None:
        once = Counter(one["tag"] for one in rings if "beat" not in one)
        for talk, tag in self._alarms.items():
            least = 0 if tag in self._cancelled or talk not in self.acknowledged else 1
            assert least <= once[tag] <= 1, f"{tag} has rung {once[tag]} times"
        for tag, sets in self._replaced.items():
            assert once[tag] <= sets, f"{tag} was set {sets} times and has rung {once[tag]} times"
        for talk, (tag, count) in self._beats.items():
            beats = [one for one in rings if one["tag"] == tag]
            if beats or talk in self.acknowledged:
                numbers = [one["beat"] for one in beats]
                assert numbers == sorted(set(numbers)), f"{tag} has beaten {numbers}"
                assert numbers[-1] == len(beats) + sum(one["missed"] for one in beats) == count

    def _check_children(self, told: Sequence[tuple[str, Any]], living: Collection[str]) -> None:
        asked = set(self._children.values())
        answered = [talk for talk, _ in told if talk in asked]
        assert len(answered) == len(set(answered)), "a create was answered twice"
        sure = {ask for talk, ask in self._children.items() if talk in self.acknowledged}
        assert sure <= set(answered), "a create was not answered"
        made = [what["description"]["name"] for talk, what in told if talk in asked and "description" in what]
        assert len(made) == len(set(made)), "a child was made twice"
        ended = {
            f"{talk.removeprefix('end-')}@local"
            for talk, what in told
            if talk[:4] == "end-" and what.get("done")
        }
        assert {f"{one}@local" for one in living if one.startswith("k")} == set(made) - ended
        changes = [what["change"] for talk, what in told if talk == "lives" and "change" in what]
        removed = Counter(one["name"] for one in changes if one["what"] == "removed")
        assert removed == dict.fromkeys(ended, 1), "a watcher hears of each end once"
