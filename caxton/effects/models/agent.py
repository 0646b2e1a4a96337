"""The agent `model`: requests to models, within what they may cost.

In: `request` with what `vocabulary` reads, `query-ref` for models and budgets. Out: `refuse` before any call (no
right, nothing left of a budget); the model's answer with what it has cost. The process behind it has the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from caxton import exact_numbers
from caxton.acl import Performative
from caxton.bus.envelope import Envelope
from caxton.config import ModelTable
from caxton.effects.agent import Answer, EffectAgent, Terms, World, refuse
from caxton.effects.lines import Said
from caxton.effects.live import asks_for
from caxton.effects.models.budgets import (
    AGENT,
    CONVERSATION,
    DAY,
    MODEL,
    PROJECT,
    REPLAY,
    TURN,
    Budgets,
    Place,
    Reservation,
    Spent,
)
from caxton.effects.models.ledger import Ledger
from caxton.effects.models.vocabulary import Complete, estimate, key_of, read_request
from caxton.effects.process import EffectProcess
from caxton.errors import InvalidMessage
from caxton.journal import Reader

MODEL_AGENT: Final = "model"
LATE_MAX: Final = 1_000
"""Calls that were given up and whose cost may still be told."""
_encode = msgspec.json.Encoder().encode


_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Usage(msgspec.Struct):
    input: _Count
    output: _Count
    cached: _Count = 0


class _Told(msgspec.Struct):
    usage: _Usage


class _Asked(NamedTuple):
    asked: Complete
    table: ModelTable
    reservation: Reservation


class ModelAgent(EffectAgent):
    """`model`, for all models of a project."""

    def __init__(
        self,
        number: int,
        world: World,
        process: EffectProcess,
        terms: Terms,
        models: Mapping[str, ModelTable],
        budgets: Budgets,
    ) -> None:
        super().__init__(MODEL_AGENT, number, world, process, terms)
        self.budgets = budgets
        self._models = models
        self._ledger = Ledger(world.bus.journal, budgets)
        self._priced: dict[int, _Asked] = {}
        self._late: dict[str, _Asked] = {}
        process.listen_late(self._told_late)

    async def load(self, reader: Reader) -> None:
        """Read what was spent before."""
        await self._ledger.load(reader)

    # ------------------------------------------------------------------ before a call

    def right(self, envelope: Envelope) -> tuple[str, str]:
        """The model's name in the agent's list `models`."""
        asked, _ = self._wanted(envelope)
        return self.terms.key, asked.model

    def timeout_s(self, envelope: Envelope) -> float:
        """The model's own."""
        return self._wanted(envelope)[1].timeout

    def admit(self, envelope: Envelope) -> Answer | None:
        """Reserve what it may cost; a refusal where that is not left."""
        asked, table = self._wanted(envelope)
        if self._world.is_looping(envelope.message.trace_id):
            reason = "agents say the same to each other again and again, and this would ask once more"
            return refuse("loop", reason, "see caxton status; a question that adds something new begins anew")
        most = _most(asked, table)
        places = self._places(envelope, asked)
        short = self.budgets.shortage(places, most)
        if short is None:
            self._priced[envelope.seq] = _Asked(asked, table, self.budgets.reserve(places, most))
            return None
        return refuse(
            "budget-exhausted",
            f"this call may cost {_said(short.what, short.wanted)}, and of the {_said(short.what, short.limit)} of its "
            f"{short.scope} {_said(short.what, short.left)} are left",
            f"in caxton.toml: budgets.{short.scope}.{short.what}; or ask with a smaller max_tokens",
            scope=short.scope,
            left={short.what: short.left},
        )

    def request(self, envelope: Envelope) -> msgspec.Raw:
        """The request, complete: with the model's name and its bound on tokens."""
        asked, table, _ = self._priced[envelope.seq]
        whole = msgspec.structs.replace(asked, max_tokens=asked.max_tokens or table.max_tokens)
        return msgspec.Raw(_encode(whole))

    # ------------------------------------------------------------------ after it

    def answered(self, envelope: Envelope, answer: Answer) -> Answer:
        """Settle what it has cost, and say so."""
        call = self._priced.pop(envelope.seq, None)
        if call is None:
            # asked in an earlier life of the daemon
            asked, table = self._wanted(envelope)
            places = self._places(envelope, asked)
            call = _Asked(asked, table, self.budgets.reserve(places, _most(asked, table)))
        cost = _cost(answer, call)
        if cost is None and answer.code in ("timeout", "cancelled") and self.process.pid is not None:
            # the process may still say; until then all of it stays reserved
            self._late[envelope.message.id] = call
            if len(self._late) > LATE_MAX:
                self._settle(self._late.pop(next(iter(self._late))), None)
            return answer
        self._settle(call, cost)
        if answer.act is not Performative.INFORM:
            return answer
        # what informs is as the process wrote it
        assert isinstance(answer.content, msgspec.Raw)
        content: dict[str, Any] = exact_numbers.decode(answer.content)
        spent = cost or call.reservation.most
        told = {
            "action": "complete",
            **content,
            "money": spent.money,
            "key": key_of(call.asked, f"{call.table.wire} {call.table.url} {call.table.model}"),
            "source": "live",
        }
        return Answer(answer.act, told)

    def cost(self, content: bytes) -> tuple[int, float]:
        """What would be reserved for it."""
        try:
            most = _most(*self._model_of(content))
        except InvalidMessage:
            return 0, 0.0
        return most.tokens, most.money

    def asked_about(self, envelope: Envelope) -> object:
        """`{"about": "models"}` or `{"about": "budget"}`: what the asker may use, and what is left for it."""
        about: Any = exact_numbers.decode(envelope.message.content)
        match about:
            case {"about": "models"}:
                return {"models": [{"name": name, "model": one.model} for name, one in self._models.items()]}
            case {"about": "budget"}:
                return {"budget": [self._budget(place) for place in self._places(envelope, None)]}
            case _:
                raise InvalidMessage(
                    'model can be asked about "models" and "budget"', hint='{"about": "budget"}'
                )

    def _budget(self, place: Place) -> dict[str, object]:
        limit, spent = self.budgets.limit(place), self.budgets.spent.get(place, Spent())
        tokens, money = self.budgets.reserved(place)
        return {
            "scope": place[0],
            "limit": {"tokens": limit.tokens, "money": limit.money},
            "used": {"tokens": spent.tokens, "money": spent.money},
            "reserved": {"tokens": tokens, "money": money},
        }

    # ------------------------------------------------------------------ inside

    def _wanted(self, envelope: Envelope) -> tuple[Complete, ModelTable]:
        call = self._priced.get(envelope.seq)
        if call is not None:
            return call.asked, call.table
        return self._model_of(bytes(envelope.message.content))

    def _model_of(self, content: bytes) -> tuple[Complete, ModelTable]:
        asked = read_request(content)
        name = asked.model or next(iter(self._models))
        table = self._models.get(name)
        if table is None:
            there = ", ".join(self._models)
            raise InvalidMessage(
                f"there is no model {name[:80]!r}", hint=f"models here: {there}", field="model"
            )
        return msgspec.structs.replace(asked, model=name), table

    def _places(self, envelope: Envelope, asked: Complete | None) -> list[Place]:
        message = envelope.message
        day = datetime.fromtimestamp(self._world.clock.now_us() / 1e6, UTC).date().isoformat()
        agent = message.sender.removesuffix(f"@{self._bus.platform}")
        talk = CONVERSATION if asks_for(agent) is None else REPLAY
        places = [
            (TURN, f"{envelope.cause or envelope.seq} {agent}"),
            (talk, message.conversation_id),
            (AGENT, agent),
            (DAY, day),
            (PROJECT, ""),
        ]
        return places if asked is None else [*places, (MODEL, asked.model)]

    def _settle(self, call: _Asked, cost: Spent | None) -> None:
        places = self.budgets.settle(call.reservation, cost or call.reservation.most)
        self._ledger.write(places, self._world.clock.now_us())

    def _told_late(self, said: Said | None) -> None:
        """The process has answered a call that was given up; None: it has ended, and says nothing more of any."""
        ids = [said.id] if said is not None else list(self._late)
        for id in ids:
            call = self._late.pop(id, None)
            if call is not None:
                told = (said.inform, said.failure) if said is not None else ()
                raw = next((one for one in told if isinstance(one, msgspec.Raw)), None)
                self._settle(call, _cost(Answer(Performative.FAILURE, raw), call))
        self._bus.settle()


def _most(asked: Complete, table: ModelTable) -> Spent:
    into, out = estimate(asked, asked.max_tokens or table.max_tokens)
    return _priced(Spent(1, into, out), table)


def _priced(spent: Spent, table: ModelTable) -> Spent:
    plain = spent.input - spent.cached
    cached = table.price_input if table.price_cached is None else table.price_cached
    money = plain * table.price_input + spent.cached * cached + spent.output * table.price_output
    return msgspec.structs.replace(spent, money=round(money / 1e6, 9))


def _cost(answer: Answer, call: _Asked) -> Spent | None:
    """What the process says that a call has cost; None where it does not say."""
    if not answer.left:
        return Spent()
    content: Any = answer.content
    if isinstance(content, msgspec.Raw):
        content = exact_numbers.decode(content)
    try:
        usage = msgspec.convert(content, _Told).usage
    except msgspec.ValidationError:
        return None
    cached = min(usage.cached, usage.input)
    return _priced(Spent(1, usage.input, usage.output, cached), call.table)


def _said(what: str, amount: float) -> str:
    return f"{amount:,.0f} tokens" if what == "tokens" else f"{amount:,.6f} of money"
