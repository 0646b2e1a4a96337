"""The agent `http.NAME`: requests to named hosts, by named methods, within sizes.

In: `request` with what `vocabulary` reads. Out: `refuse` for what is not on the allow-list; else what the host
answered, whatever its status.
"""

from __future__ import annotations

import msgspec

from caxton.bus.envelope import Envelope
from caxton.config import HttpTable
from caxton.effects.agent import Answer, EffectAgent, Terms, World, refuse
from caxton.effects.http.vocabulary import SAFE, as_line, is_allowed, place_of, read_request
from caxton.effects.process import EffectProcess

_encode = msgspec.json.Encoder().encode


class HttpAgent(EffectAgent):
    """One of them."""

    def __init__(
        self, name: str, number: int, world: World, process: EffectProcess, terms: Terms, table: HttpTable
    ) -> None:
        super().__init__(name, number, world, process, terms)
        self._table = table

    def admit(self, envelope: Envelope) -> Answer | None:
        """A refusal for what is not allowed."""
        table, asked = self._table, read_request(bytes(envelope.message.content))
        where = f"[http.{self.terms.name}]"
        if asked.method not in table.methods:
            hint = f"in caxton.toml: {where} methods"
            return refuse("method-not-allowed", f"{self.local} does not {asked.method}", hint)
        parts = place_of(asked.url)
        if not is_allowed(parts, table.hosts):
            hint = f"in caxton.toml: {where} hosts"
            return refuse("host-not-allowed", f"{self.local} does not reach {parts.netloc[:200]}", hint)
        if len(asked.body) > table.request_bytes:
            reason = f"the body has {len(asked.body):,} bytes, {self.local} sends {table.request_bytes:,}"
            return refuse("too-long", reason, f"in caxton.toml: {where} request_bytes")
        return None

    def request(self, envelope: Envelope) -> msgspec.Raw:
        """The request, its body as base64."""
        return msgspec.Raw(_encode(as_line(read_request(bytes(envelope.message.content)))))

    def is_idempotent(self, envelope: Envelope) -> bool:
        """What only reads may be asked again."""
        return read_request(bytes(envelope.message.content)).method in SAFE
