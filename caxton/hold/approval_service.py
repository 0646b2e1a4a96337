"""Messages that wait for a yes: asked about, decided, edited, given up in time; each step is a row and an event.

    post ─▶ a rule means it ─▶ held ─▶ every such rule has its yes ─▶ referee ─▶ receiver
                 │ no room       │ no, time over, withdrawn
                 ▼               ▼
              `refuse` of ams to the sender: approval-full, -refused, -timeout, -withdrawn

In: rules, messages that they mean, what people decide. Out: the same messages later, or a refusal in their place. It
fails closed: whatever goes wrong, a message that needs a yes does not go on without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from caxton.access import Principal
from caxton.acl.message import Message
from caxton.bus.bus import Bus
from caxton.bus.envelope import Envelope
from caxton.clock import Clock
from caxton.errors import NotHeld, SecurityError
from caxton.hold.approval_rules import ApprovalRules
from caxton.hold.approval_wait import Waiting
from caxton.hold.held import HeldMessage
from caxton.journal import ApprovalStep, Reader
from caxton.platform_agents.quotas import Quota

APPROVAL_BYTES_MAX: Final = 64 * 1024 * 1024
"""How long waiting messages may be together, whatever their number."""
ASKED, YES, NO, EDITED, RELEASED = "asked", "yes", "no", "edited", "released"
FULL, TIMEOUT, WITHDRAWN, ESCALATED = "full", "timeout", "withdrawn", "escalated"
"""What happens to one that waits; `released`: it had its yes, and waited behind another."""
_CODES: Final = {
    NO: "approval-refused",
    FULL: "approval-full",
    TIMEOUT: "approval-timeout",
    WITHDRAWN: "approval-withdrawn",
}


class Holder(Protocol):
    """What holds messages, as far as it is asked here."""

    def ahead(self, message: Message, seq: int) -> HeldMessage | None:
        """The first that has to go on before it."""
        ...

    def go_on(self, held: HeldMessage, *, dropped: bool = False) -> int:
        """The message leaves; its number from now on."""
        ...

    def follow(self, id: str) -> None:
        """Let go on what only waited for something that is not ahead of it any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a message does not go on, until its sender is told."""

    step: str
    reason: str
    rule: str


@dataclass(slots=True)
class ApprovalService:
    """All that wait. `hold` has them among the messages that it holds."""

    bus: Bus
    clock: Clock
    rules: ApprovalRules
    hold: Holder
    _waiting: dict[int, Waiting] = field(default_factory=dict[int, Waiting])
    _refusals: dict[str, _Refusal] = field(default_factory=dict[str, _Refusal])
    _quotas: dict[str, Quota[int]] = field(default_factory=dict[str, Quota[int]])
    _bytes: int = 0

    def __post_init__(self) -> None:
        for rule in self.rules.by_name.values():
            # nobody has more than half of what may wait, so that a greedy one leaves room
            self._quotas[rule.name] = Quota("messages waiting", rule.waiting, max(1, rule.waiting // 2))

    # ------------------------------------------------------------------ what there is

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def stand(self) -> bool:
        """Whether messages are looked at for them."""
        return bool(self.rules) or bool(self._waiting)

    def waiting(self) -> list[Waiting]:
        """Everything that waits, in order."""
        return list(self._waiting.values())

    def get(self, seq: int) -> Waiting:
        """One that waits; NotHeld where it does not."""
        found = self._waiting.get(seq)
        if found is None:
            raise NotHeld(f"no message {seq} waits for an approval", hint="see: caxton approve list")
        return found

    # ------------------------------------------------------------------ what the bus asks

    def why_full(self, message: Message, names: list[str], size: int) -> tuple[str, str] | None:
        """The rule for which no more may wait, and why; None where there is room."""
        for name in names:
            why = self._quotas[name].why_not(message.sender)
            if why is not None:
                return name, why
        if self._bytes + size > APPROVAL_BYTES_MAX:
            return names[0], f"what waits has {self._bytes:,} bytes, at most {APPROVAL_BYTES_MAX:,}"
        return None

    def ask(self, held: HeldMessage, names: list[str]) -> dict[str, object]:
        """A message waits from now on; what the event says of it that has its number."""
        self._enter(held, names)
        return self._row(held.seq, ASKED, held.seq, held.message, names[0])

    def turn_away(self, message: Message, name: str, why: str) -> None:
        """A message will be refused at once; `tell` says so when it has its row."""
        self._refusals[message.id] = _Refusal(FULL, f"it needs the approval {name}, and {why}", name)

    def turned_away(self, seq: int, message: Message, name: str, why: str) -> None:
        """It was."""
        self._refusals.pop(message.id, None)
        self._tell(self._row(self.bus.last_seq + 1, FULL, seq, message, name, note=why))

    def tell(self, envelope: Envelope) -> bool:
        """Tell a sender that its message was refused; False where it was not, as far as is known here."""
        refusal = self._refusals.pop(envelope.message.id, None)
        if refusal is None:
            return False
        self.bus.refused(envelope, _CODES[refusal.step], refusal.reason, {"approval": refusal.rule})
        return True

    def cancelled(self, cancel: Message) -> None:
        """A `cancel`, which waits behind what it is about: its sender does not want that any more."""
        for one in self.waiting():
            asked = one.held.message
            if (asked.sender, asked.conversation_id) == (cancel.sender, cancel.conversation_id) and set(
                asked.receiver
            ) & set(cancel.receiver):
                self._refuse(one, WITHDRAWN, "its sender has cancelled it", by=asked.sender)

    def agent_gone(self, name: str) -> None:
        """An agent is no more: nobody wants any more what it has asked for."""
        for one in self.waiting():
            if one.held.message.sender == name:
                self._refuse(one, WITHDRAWN, "its sender is no more", by=name)

    # ------------------------------------------------------------------ what people do

    def approve(self, seq: int, who: Principal, by: str, note: str = "") -> int | None:
        """Somebody says yes; returns the number that it goes on with, None where it still waits for something.

        Raises NotHeld, SecurityError.
        """
        one = self._decided_by(seq, who)
        held, given = one.held, one.given_by(who, self.clock.now_us())
        one.satisfied(given)
        went_on = None
        if not one.needs and self.hold.ahead(held.message, held.seq) is None:
            self._let_go(held)
            went_on = self.hold.go_on(held)
        for name in given:
            self._write(YES, held, name, by, note, went_on)
        if went_on is not None:
            self.hold.follow(held.message.conversation_id)
        else:
            self._arm(one)
            if not one.needs:
                # it follows by itself, after a restart too: the yes is on disk
                held.set_free()
        return went_on

    def refuse(self, seq: int, who: Principal, by: str, note: str = "") -> int:
        """Somebody says no; returns its last number. Raises NotHeld, SecurityError."""
        one = self._decided_by(seq, who)
        return self._refuse(one, NO, f"{by} said no" + (f": {note}" if note else ""), by=by, note=note)

    def may_change(self, seq: int, who: Principal) -> HeldMessage:
        """The message, where that one may decide about it. Raises NotHeld, SecurityError."""
        return self._decided_by(seq, who).held

    def changed(self, held: HeldMessage, by: str, what: list[str]) -> None:
        """Somebody has made another message of it: every rule that means it is asked about that one."""
        one = self._let_go(held)
        self._write(EDITED, held, one.needs[0], by, ", ".join(what))
        self._enter(held, self._meant(held))

    # ------------------------------------------------------------------ over a restart

    async def load(self, reader: Reader, held: list[HeldMessage]) -> None:
        """After a start: every message waits for what it waited for, and for what rules say now."""
        said: dict[int, set[str]] = {one.seq: set() for one in held}
        for step in await reader.approval_steps(list(said)) if held else ():
            if step.step == EDITED:
                said[step.held].clear()
            elif step.step == YES:
                said[step.held].add(step.approval)
        for one in held:
            waiting = self._enter(one, self._meant(one))
            waiting.satisfied(list(said[one.seq]))
            if not waiting.needs:
                one.set_free()

    def close(self) -> None:
        """Let no time pass any more; the journal has it."""
        for one in self._waiting.values():
            one.wake(None)

    def went_on(self, held: HeldMessage, seq: int) -> None:
        """What was ahead of one that had its yes is gone, and so is it."""
        if held.seq in self._waiting:
            one = self._let_go(held)
            self._write(RELEASED, held, one.asked[0], went_on=seq)

    # ------------------------------------------------------------------ inside

    def _meant(self, held: HeldMessage) -> list[str]:
        """The rules that mean it, and the one that it was held for, whether or not that still does or is there."""
        names = self.rules.meant(held.message)
        first = held.approval
        return names if first is None or first in names else [first, *names]

    def _enter(self, held: HeldMessage, names: list[str]) -> Waiting:
        one = Waiting(held, self.rules.by_name, names, tuple(names), held.bytes)
        self._waiting[held.seq] = one
        self._bytes += one.bytes
        for quota in self._quotas_of(one):
            quota.take(held.message.sender, held.seq)
        self._arm(one)
        return one

    def _let_go(self, held: HeldMessage) -> Waiting:
        one = self._waiting.pop(held.seq)
        one.wake(None)
        self._bytes -= one.bytes
        for quota in self._quotas_of(one):
            quota.give_back(held.message.sender, held.seq)
        return one

    def _quotas_of(self, one: Waiting) -> list[Quota[int]]:
        return [self._quotas[name] for name in one.asked if name in self._quotas]

    def _decided_by(self, seq: int, who: Principal) -> Waiting:
        one = self.get(seq)
        if not one.needs:
            raise NotHeld(
                f"message {seq} was approved and waits behind another", hint=f"see: caxton approve show {seq}"
            )
        now_us = self.clock.now_us()
        if not one.given_by(who, now_us):
            names = ", ".join(one.deciders(now_us))
            raise SecurityError(
                f"{who.name} cannot decide about message {seq}: the approval {one.needs[0]} is given by {names}",
                hint="ask one of them, or change `by` in caxton.toml",
            )
        return one

    def _arm(self, one: Waiting) -> None:
        now_us = self.clock.now_us()
        until_us = one.until_us(now_us)
        if until_us is None or not one.needs:
            one.wake(None)
            return
        # after a start with a clock that was set back: no longer than it may wait in all
        delay_us = min(until_us - now_us, until_us - one.held.at_us)
        one.wake(self.clock.later(max(0.0, delay_us / 1e6), lambda: self._ring(one)))

    def _ring(self, one: Waiting) -> None:
        now_us = self.clock.now_us()
        over, late = one.over(now_us), one.late(now_us)
        if over is not None:
            self._refuse(one, TIMEOUT, over[1], name=over[0])
        else:
            if late and not one.escalated:
                one.escalate()
                self._write(ESCALATED, one.held, late[0])
            self._arm(one)
        self.bus.settle()

    def _refuse(
        self, one: Waiting, step: str, reason: str, *, by: str = "", note: str = "", name: str = ""
    ) -> int:
        held = one.held
        name = name or next(iter([*one.needs, *one.asked]))
        self._refusals[held.message.id] = _Refusal(step, f"it needs the approval {name}, and {reason}", name)
        self._let_go(held)
        went_on = self.hold.go_on(held, dropped=True)
        # where the referee had something to say of it, its sender was told that
        self._refusals.pop(held.message.id, None)
        self._write(step, held, name, by, note, went_on)
        self.hold.follow(held.message.conversation_id)
        return went_on

    def _write(
        self,
        step: str,
        held: HeldMessage,
        name: str,
        by: str = "",
        note: str = "",
        went_on: int | None = None,
    ) -> None:
        """Write a step down, in an event for who looks on and in a row for the audit trail."""
        self._tell(self._row(self.bus.last_seq + 1, step, held.seq, held.message, name, by, note, went_on))

    def _tell(self, body: dict[str, object]) -> None:
        """The event of a step whose row has the next number."""
        sender, id = str(body["sender"]), str(body["conversation_id"])
        self.bus.event("approval", agent=sender, conversation=id, body=body)

    def _row(
        self,
        number: int,
        step: str,
        seq: int,
        message: Message,
        name: str,
        by: str = "",
        note: str = "",
        went_on: int | None = None,
    ) -> dict[str, object]:
        """Write a step down that has the event of that number; what the event says."""
        now_us, sender = self.clock.now_us(), message.sender
        row = ApprovalStep(number, seq, now_us, name, step, by, note, sender, went_on)
        self.bus.journal.batch.records.append(row)
        return {
            "seq": seq,
            "id": message.id,
            "performative": message.performative,
            "sender": sender,
            "receiver": message.receiver,
            "conversation_id": message.conversation_id,
            "approval": name,
            "step": step,
            "by": by,
            "note": note,
            "went_on": went_on,
            "waiting": len(self._waiting),
        }
