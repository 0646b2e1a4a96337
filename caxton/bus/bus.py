"""The bus itself: what happens to a message between the moment somebody says it and the turn that handles it.

    client ── submit ──┐
                       ├─▶ admit ─▶ referee ─▶ conversation ─▶ route ─▶ mailbox ─▶ port (cell) ─▶ turn
    guest ── ended ────┘      └─▶ rows for the journal                                               │
                     ▲                                                                               │
                     └────────────────────── what the turn said ─────────────────────────────────────┘

`admit` is the only place where a message comes into being, whoever says it (`reply` and `reply_quickly` are its short
forms for a guest's answer). What becomes of a turn's result is in `turns`; what the platform says by itself, about what
cannot be delivered or breaks its protocol, in `platform_messages`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from caxton import exact_numbers
from caxton.access.redaction import redacted_json
from caxton.acl import Draft, Message
from caxton.acl.message import NULL, read_message, write_message
from caxton.bus.addressing import Addressing
from caxton.bus.causes import Tree, Works
from caxton.bus.clients import Clients
from caxton.bus.conversations import ConversationEntry, Conversations
from caxton.bus.counts import BusCounts
from caxton.bus.delivery import Delivery
from caxton.bus.endpoint import DeliveryPort, Endpoint
from caxton.bus.envelope import Envelope
from caxton.bus.interceptor import Interceptor
from caxton.bus.life import is_life
from caxton.bus.message_order import MessageOrder
from caxton.bus.platform_agent import PlatformAgent
from caxton.bus.platform_messages import PlatformMessages
from caxton.bus.priority import is_urgent, says_urgent
from caxton.bus.quick_reply import QuickReply
from caxton.bus.referee_service import Mode, RefereeService
from caxton.bus.seeds import Seeds
from caxton.bus.submission import Submission
from caxton.bus.topic_names import is_topic
from caxton.bus.turns import Turns
from caxton.bus.work_ends import WorkEnds
from caxton.clock import Clock
from caxton.ids import Ids
from caxton.journal import HANDLED, Batch, Journal, PutBack, TurnPlace, TurnRow
from caxton.journal.records.batch import MessageRow
from caxton.limits import TREE_WAITING, Limits
from caxton.protocols import Effect, Verdict

_encode = exact_numbers.encode
_AHEAD: Final = 100_000
"""So many numbers may be removed from the journal between two commits, about."""


class Bus:
    """Every conversation passes here. Not thread-safe: one asyncio thread owns it."""

    def __init__(
        self,
        *,
        platform: str,
        ids: Ids,
        journal: Journal,
        next_seq: int,
        limits: Limits,
        clock: Clock,
        referee_service: RefereeService | None = None,
        tree_waiting: int = TREE_WAITING,
    ) -> None:
        self.platform = platform
        self.ids = ids
        self.journal = journal
        self.now_us = clock.now_us
        self.referee_service = referee_service or RefereeService(clock)
        self.referee_service.listen(self._time_passed)
        self.clients = Clients(platform)
        self.works = Works(tree_waiting, clock.now_us)
        """What is to be done, by trace."""
        self.referee_service.heed(self.works.until)
        self.conversations = Conversations()
        self.counts = BusCounts()
        self.ports: list[DeliveryPort] = []
        self.endpoints: dict[str, Endpoint] = {}
        """Guest agents by full name and, for this platform's, by local name too."""
        self.platform_agents: dict[str, PlatformAgent] = {}
        """By full name; `host` adds to them."""
        self.seeds = Seeds()
        """What agents' randomness is drawn from; `seeded_by` sets it."""
        self.quick = True
        """Whether plain answers take the quick way; off while somebody intercepts messages, or to compare the two."""
        self.interceptor: Interceptor | None = None
        """Who may hold messages (`hold`); `intercept` sets it."""
        self._quick_before = True
        self._limits = limits
        self._order = MessageOrder(next_seq - 1)
        self.addressing = Addressing(platform, limits.receivers, clock)
        self.full_name = self.addressing.full_name
        self._suffix = self.addressing.suffix
        self._ams = f"ams{self._suffix}"
        self._timer = f"timer{self._suffix}"
        self._judged = self.referee_service.known
        self._removed_near = 0
        """Conversations that were silent since may have lost every row."""
        self._platform_messages = PlatformMessages(self, self._ams, limits.hops)
        self.dead_letter = self._platform_messages.dead_letter
        self.call_broken = self._platform_messages.call_broken
        self.bury = self._platform_messages.bury
        self.undelivered = self._platform_messages.undelivered
        self.refused = self._platform_messages.refused
        self.notices = self._platform_messages.notices
        self.answer = self._platform_messages.answer
        self.delivery = Delivery(
            endpoints=self.endpoints,
            platform_agents=self.platform_agents,
            clients=self.clients,
            suffix=self._suffix,
            counts=self.counts,
            journal=journal,
            now_us=self.now_us,
            answer=self.answer,
            answered=self.works.answered,
            undelivered=self.undelivered,
        )
        self.platform_turn = self.delivery.platform_turn
        self.reply_quickly = QuickReply(
            order=self._order,
            ids=ids,
            now_us=self.now_us,
            journal=journal,
            counts=self.counts,
            endpoints=self.endpoints,
            referee_service=self.referee_service,
            timer=self._timer,
            bring=self._bring,
            deliver=self.delivery.deliver,
        ).say
        self._submission = Submission(self, limits)
        self.submit = self._submission.submit
        self.check_client = self._submission.check_client
        self.work_ends = WorkEnds(self, self._platform_messages)
        self.works.listen(self.work_ends.over)
        self.end_tree = self.work_ends.end_tree
        self.turns = Turns(self, clock)
        self.ended = self.turns.ended
        journal.on_commit.append(self._committed)

    # ------------------------------------------------------------------ who is here

    def host(self, *agents: PlatformAgent) -> None:
        """Bring messages to these agents of the platform's own from now on."""
        self.platform_agents.update({agent.name: agent for agent in agents})

    def intercept(self, interceptor: Interceptor | None) -> None:
        """Have every message looked at before the referee hears it, or no more; the quick way is closed meanwhile."""
        if interceptor is self.interceptor:
            return
        if interceptor is None:
            self.quick = self._quick_before
        elif self.interceptor is None:
            self._quick_before, self.quick = self.quick, False
        self.interceptor = interceptor

    def seeded_by(self, seeds: Seeds) -> None:
        """Agents' randomness is drawn from these."""
        self.seeds = seeds

    def settle(self) -> None:
        """The end of a burst of work: hand rows to the journal and frames to the cells."""
        self.journal.flush()
        for port in self.ports:
            port.settle()

    # ------------------------------------------------------------------ the way of a message

    def reply(self, speaker: str, cause: Envelope, draft: Draft) -> None:
        """Admit one message of a turn. Without a receiver it is a reply: what it does not say is taken from the
        message in hand (DESIGN.md 4)."""
        asked = cause.message
        if draft.receiver:
            self.admit(
                draft,
                speaker,
                trace_id=asked.trace_id,
                cause=cause.seq,
                hops=cause.hops + 1,
                tree=cause.tree,
            )
            return
        seq, now = self.next()
        id, span_id = self.ids.of(seq)
        message = Message(
            id,
            draft.performative,
            speaker,
            asked.reply_to or [asked.sender],
            draft.conversation_id or asked.conversation_id,
            asked.trace_id,
            span_id,
            now,
            draft.content or NULL,
            draft.protocol or asked.protocol,
            draft.reply_with,
            draft.in_reply_to or asked.reply_with,
            draft.reply_by,
            draft.reply_to,  # type: ignore[arg-type]  # _check has made it a list
            draft.language or asked.language,
            draft.encoding,
            draft.ontology or asked.ontology,
        )
        self.post(message, draft.extensions, seq, cause.seq, cause.hops + 1, tree=cause.tree)

    def admit(
        self, draft: Draft, speaker: str, *, trace_id: str, cause: int, hops: int, tree: Tree | None = None
    ) -> Envelope:
        """Make a draft with receivers a message: full names, resolved times, and a conversation of its own where it
        names none. Without a `tree` it begins one."""
        seq, now = self.next()
        id, span_id = self.ids.of(seq)
        message = Message(
            id,
            draft.performative,
            speaker,
            draft.receiver,  # type: ignore[arg-type]  # a list by now
            draft.conversation_id or self.ids.conversation(),
            trace_id,
            span_id,
            now,
            draft.content or NULL,
            draft.protocol,
            draft.reply_with,
            draft.in_reply_to,
            draft.reply_by,
            draft.reply_to,  # type: ignore[arg-type]
            draft.language,
            draft.encoding,
            draft.ontology,
        )
        return self.post(message, draft.extensions, seq, cause, hops, tree=tree)

    def next(self) -> tuple[int, int]:
        """The next number and the time now. Times never go back, so that they sort as numbers do."""
        return self._order.next(self.now_us())

    def post(
        self,
        message: Message,
        extensions: dict[str, msgspec.Raw] | None,
        seq: int,
        cause: int,
        hops: int,
        flags: int = 0,
        *,
        tree: Tree | None = None,
    ) -> Envelope:
        """A message has come into being: write it down and bring it to everybody it is for.

        One that was held comes here again as it goes on, with `flags` for its row; with HANDLED it is for nobody.
        """
        batch = self.journal.batch
        tree = tree or self.works.tree(message.trace_id)
        sender, receivers, conversation_id = message.sender, message.receiver, message.conversation_id
        name = receivers[0]
        entry = self.conversations.entries.get(conversation_id)
        if entry is None or (
            entry.last_seq <= self._removed_near and entry.last_seq <= self.journal.kept.removed_upto
        ):
            entry = self.conversations.open(
                batch, conversation_id, seq, message.timestamp, sender, message.protocol
            )
        entry.goes_on(seq)
        members = entry.members
        if sender not in members or name not in members or len(receivers) > 1:
            self.conversations.join(batch, entry, [sender, *receivers])
        if (
            self.interceptor is not None
            and not flags
            and self.interceptor.stops(message, extensions, seq, cause, hops, entry, tree)
        ):
            return Envelope(seq, message, b"", hops, tree, entry=entry)
        body = write_message(message, extensions)
        urgent = extensions is not None and is_urgent(extensions)
        verdict = None
        if (
            (message.protocol is not None or conversation_id in self._judged)
            # the timer belongs to no protocol
            and name != self._timer
            # nor do topics
            and not is_topic(name)
            and sender != self._timer
        ):
            verdict = self.referee_service.hear(message, seq, extensions)
        envelope = Envelope(
            seq,
            message,
            body,
            hops,
            tree,
            entry=entry,
            urgent=urgent,
            recallable=sender == self._timer,
            cause=cause,
        )
        row = (seq, message.timestamp, entry.key, cause, hops, flags, body)
        self.counts.message()
        self._bring(envelope, row, entry, verdict)
        return envelope

    def _bring(
        self, envelope: Envelope, row: MessageRow, entry: ConversationEntry, verdict: Verdict | None
    ) -> None:
        """Bring a message to everybody it is for, unless the referee stops it."""
        if verdict is None:
            self._route(envelope, row)
            return
        passed = self._platform_messages.passes(verdict)
        if passed:
            self._route(envelope, row)
        else:
            self.journal.batch.add(_handled(row))
            self.clients.stopped(envelope.seq, envelope.message.conversation_id, envelope.body)
        self._platform_messages.follow(verdict, envelope, entry.key, passed)

    def _route(self, envelope: Envelope, row: MessageRow) -> None:
        """Bring a message to each of its receivers, whoever they are."""
        receivers = envelope.message.receiver
        if row[5] & HANDLED and self.interceptor is not None:
            self.journal.batch.add(row)
            self.interceptor.discard(envelope, row[5])
            return
        if not any(
            name in self.endpoints or name in self.platform_agents or is_topic(name) for name in receivers
        ):
            row = _handled(row)
        self.journal.batch.add(row)
        if len(receivers) > 1:
            # whoever may be told of a failure has the message itself first: its mailbox stays in the order of numbers,
            # which recovery by replay rests on
            told = envelope.message.reply_to or [envelope.message.sender]
            receivers = sorted(receivers, key=lambda name: name not in told)
        self.delivery.bring(envelope, receivers)

    # ------------------------------------------------------------------ what goes wrong

    def referee_mode(self, protocol: str | None) -> Mode:
        """What is done about a message that breaks that protocol."""
        return self.referee_service.mode(protocol)

    def agent_gone(self, name: str, why: str) -> None:
        """An agent will not answer any more: end its open branches, and tell those who wait for it."""
        for id, effects in self.referee_service.gone(name, why, self._ams, self._order.seq).items():
            self._platform_messages.effects(id, effects)
        self.settle()

    def _time_passed(self, id: str, effects: tuple[Effect, ...]) -> None:
        self._platform_messages.effects(id, effects)
        self.settle()

    # ------------------------------------------------------------------ recovery and events

    def redeliver(self, seq: int, body: bytes, hops: int, receivers: Sequence[str]) -> None:
        """After a start: deliver a journalled message again to the receivers that had no turn from it."""
        marked = body[:-1] + b',"redelivered":true}'
        message = read_message(body)
        envelope = Envelope(
            seq,
            message,
            marked,
            hops,
            self.works.restored(message.trace_id),
            True,
            urgent=says_urgent(body),
            recallable=message.sender == self._timer,
        )
        for _ in receivers:
            self.counts.redelivery()
        others: list[str] = []
        keep = self.delivery.keep_first if is_life(message, self._ams) else self.delivery.keep
        for name in receivers:
            endpoint = self.endpoints.get(name)
            if endpoint is not None:
                keep(endpoint, envelope)
            elif not self.clients.is_client(name):
                others.append(name)
        self.delivery.bring(envelope, others)
        if self.clients.is_client(message.sender) and len(receivers) == len(message.receiver):
            self.works.ask(envelope.tree.work, message)

    def lose_cell(self, endpoint: Endpoint, in_hand: Collection[int]) -> None:
        """An agent's cell died: what it had waits again. `in_hand`: the messages whose turns it died in."""
        for _ in endpoint.lose_cell(in_hand):
            self.counts.redelivery()

    def open(self, endpoint: Endpoint) -> None:
        """Let an agent's messages go to its cell from now on; those of a suspended agent wait until it is resumed."""
        endpoint.let_in()
        port = endpoint.port
        if endpoint.open and endpoint.waiting and not endpoint.queued and port is not None:
            port.wait(endpoint)
        self.settle()

    def event(
        self, kind: str, *, body: object, agent: str | None = None, conversation: str | None = None
    ) -> None:
        """Write down something that happened, for viewers and for later."""
        seq = self._order.event()
        key = None
        if conversation is not None:
            entry = self.conversations.entries.get(conversation)
            key = entry.key if entry is not None else None
        self.journal.batch.event(seq, self.now_us(), kind, agent, key, redacted_json(_encode(body)))

    def take_place(self, endpoint: Endpoint, seq: int) -> None:
        """That agent's latest turn, on message `seq`, has a place of its own: numbers go on behind it."""
        place = endpoint.last_seq
        self._order.reach(place)
        self.journal.batch.place(TurnPlace(endpoint.number, place, seq))

    def put_back(self, endpoint: Endpoint, envelope: Envelope, row: TurnRow) -> None:
        """That agent's latest turn has put its message back; `row` is what it would have been in the table of turns."""
        place = endpoint.last_seq
        self._order.reach(place)
        seq, agent_no, revision_no, started_us, queue_us, turn_us, fuel, _, status, number = row
        self.journal.batch.place(
            PutBack(agent_no, place, seq, revision_no, started_us, queue_us, turn_us, fuel, status, number)
        )
        endpoint.put_back(envelope)
        endpoint.comes(len(envelope.body))
        self.counts.put_back()

    @property
    def last_seq(self) -> int:
        """The number that was given out last."""
        return self._order.seq

    @property
    def last_us(self) -> int:
        """The time of the latest message, µs; the next one is not before it."""
        return self._order.last_us

    def low_water(self) -> int:
        """Every message up to this number is finished; O(agents)."""
        lowest = self._order.seq + 1
        for endpoint in self.endpoints.values():
            lowest = min(lowest, endpoint.oldest())
        for agent in self.platform_agents.values():
            lowest = min(lowest, agent.oldest())
        if self.interceptor is not None:
            lowest = min(lowest, self.interceptor.oldest())
        return lowest - 1

    def _committed(self, batch: Batch) -> None:
        self._removed_near = self.journal.kept.removed_upto + _AHEAD
        self.clients.commit(batch.last_seq)
        for port in self.ports:
            port.settle()


def _handled(row: MessageRow) -> MessageRow:
    """The row of a message that needs no turn."""
    return (*row[:5], row[5] | HANDLED, row[6])
