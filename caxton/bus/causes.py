"""Causal trees: which messages follow from which, how many of them wait at the same time, and when all of it is done.

In: every message that goes into a mailbox or stands in front of one (held, an armed timer), and its end. Out: whether a
turn may say more; news when everything that followed from a client's message is done. A tree begins with what a client
says and with what time causes; an answer belongs to the tree of its question. All trees of one trace are one piece of
work: while any of it waits, somebody is at work on the conversations that it has touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from caxton.acl import Message

ENDED_KEPT: Final = 10_000
ASKERS_MAX: Final = 16
"""Clients' questions of one trace that are told of its end."""
TREE_KEY: Final = "bus.tree_waiting"
LOSS: Final = 2
"""A message that finds a full mailbox counts as so many that wait, and each turn of its tree takes one off: so only
where most are lost does it come to the limit."""


class Asker:
    """A client's message that wants an answer."""

    __slots__ = ("answered", "asked", "conversation_id")

    def __init__(self, asked: Message) -> None:
        self.asked = asked
        self.conversation_id = asked.conversation_id
        self.answered = False

    def answer(self) -> None:
        """Something was said to a client in its conversation."""
        self.answered = True


class Loss(NamedTuple):
    """A message of a piece of work that could not be handled, and why."""

    code: str
    reason: str
    receiver: str
    message_id: str


class Work:
    """Everything of one trace that is not done. `open` counts trees that wait, armed timers and held messages."""

    __slots__ = ("_works", "askers", "loss", "open", "restored", "trace_id")

    def __init__(self, works: Works, trace_id: str) -> None:
        self.trace_id = trace_id
        self.open = 0
        self.askers: list[Asker] = []
        self.loss: Loss | None = None
        """The first of its messages that could not be handled."""
        self.restored: Tree | None = None
        """The tree of what waited of it when the daemon ended."""
        self._works = works

    def begin(self) -> None:
        """One more thing of it is to be done."""
        self.open += 1
        if self.open == 1:
            self._works.begun(self)

    def end(self) -> None:
        """One thing of it is done."""
        self.open -= 1
        if not self.open:
            self._works.over(self)

    def restore(self, tree: Tree) -> Tree:
        """What waited of it when the daemon ended is that tree, or the one that it is already."""
        self.restored = self.restored or tree
        return self.restored

    def asked(self, asker: Asker) -> None:
        """A client waits for what comes of it."""
        self.askers.append(asker)

    def lost(self, loss: Loss) -> None:
        """A message of it could not be handled."""
        self.loss = self.loss or loss


class Tree:
    """One causal tree. `waiting` counts messages in mailboxes, one for each receiver, those in their turn included."""

    __slots__ = ("losses", "most", "over", "waiting", "work")

    def __init__(self, work: Work, most: int) -> None:
        self.work = work
        self.most = most
        self.waiting = 0
        self.losses = 0
        self.over = False
        """Whether it has come to its limit: nothing more is said in it."""

    def enter(self) -> None:
        """One more message of it waits."""
        if not self.waiting:
            self.work.begin()
        self.waiting += 1

    def leave(self) -> None:
        """One of its messages has had its turn, or will have none."""
        self.waiting -= 1
        if self.losses:
            self.losses -= 1
        if not self.waiting:
            self.work.end()

    def lost(self) -> None:
        """One of its messages found a full mailbox."""
        self.losses += LOSS

    @property
    def room(self) -> int:
        """How many more of its messages may wait."""
        return self.most - self.waiting - self.losses

    def takes(self, more: int) -> bool:
        """Whether so many more of its messages may wait."""
        return self.waiting + self.losses + more <= self.most

    @property
    def crowded(self) -> bool:
        """Whether what waits, and not one turn alone, brings it to its limit."""
        return not self.over and self.waiting + self.losses > self.most // 2

    def end(self) -> None:
        """It has come to its limit."""
        self.over, self.most = True, 0


class Works:
    """Every piece of work that is not done. `most`: messages of one tree that may wait at the same time."""

    def __init__(self, most: int, now_us: Callable[[], int]) -> None:
        self._most = most
        self._now_us = now_us
        self._on_over: Callable[[Work], None] = _nobody
        self._running: dict[str, Work] = {}
        self._ended: dict[str, int] = {}
        """When the latest pieces of work were done."""
        self._asking: dict[str, Asker] = {}
        """Clients' questions by conversation."""

    def listen(self, on_over: Callable[[Work], None]) -> None:
        """Be told of work that is done and that a client has asked for."""
        self._on_over = on_over

    def tree(self, trace_id: str) -> Tree:
        """A new tree, of the work of that trace."""
        return Tree(self.work(trace_id), self._most)

    def restored(self, trace_id: str) -> Tree:
        """The tree of a message that waited when the daemon ended: one for all of a trace, as a storm is one."""
        tree = self.tree(trace_id)
        return tree.work.restore(tree)

    def work(self, trace_id: str) -> Work:
        """What is to be done in that trace: what there is already, or nothing yet."""
        return self._running.get(trace_id) or Work(self, trace_id)

    def until(self, trace_id: str) -> int:
        """Until when somebody worked on that trace; now, where somebody still does; 0 where nobody did lately."""
        return self._now_us() if trace_id in self._running else self._ended.get(trace_id, 0)

    def ask(self, work: Work, asked: Message) -> None:
        """A client waits for what comes of its message, perhaps again."""
        known = any(one.asked.id == asked.id for one in work.askers)
        if work.open and not known and len(work.askers) < ASKERS_MAX:
            asker = self._asking[asked.conversation_id] = Asker(asked)
            work.asked(asker)

    def answered(self, conversation_id: str) -> None:
        """Something was said to a client in that conversation."""
        asker = self._asking.get(conversation_id)
        if asker is not None:
            asker.answer()

    def unanswered(self, work: Work) -> list[Asker]:
        """Whoever waits for a piece of work that is done; nobody waits for it any more."""
        for asker in work.askers:
            if self._asking.get(asker.conversation_id) is asker:
                del self._asking[asker.conversation_id]
        return work.askers

    def begun(self, work: Work) -> None:
        """Something is to be done."""
        self._running[work.trace_id] = work

    def over(self, work: Work) -> None:
        """All of it is done."""
        if self._running.get(work.trace_id) is work:
            del self._running[work.trace_id]
        self._ended.pop(work.trace_id, None)
        self._ended[work.trace_id] = self._now_us()
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        if work.askers:
            self._on_over(work)


def _nobody(work: Work) -> None:
    """Nobody listens yet."""


def tree_full(tree: Tree) -> tuple[str, str]:
    """The code and the sentence of what a tree at its limit costs."""
    return "tree_waiting", f"the chain of messages that it belongs to was ended: too many waited ({TREE_KEY})"
