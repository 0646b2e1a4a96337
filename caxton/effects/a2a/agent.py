"""The agent `a2a.NAME`: requests to one agent of another system.

In: `request` with what `vocabulary` reads, `query-ref` for the card's skills, `cancel`. Out: what the remote agent's
task came to. Its skills stand in the directory of services as long as the daemon runs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caxton import exact_numbers
from caxton.bus.envelope import Envelope
from caxton.effects.a2a.vocabulary import ONTOLOGY, SERVICE, Offer, Skill, read_request
from caxton.effects.agent import Answer, EffectAgent, Terms, World
from caxton.effects.process import EffectProcess
from caxton.effects.tools.agent import Publish
from caxton.errors import InvalidMessage

_read = msgspec.json.Decoder(Offer).decode


class RemoteAgent(EffectAgent):
    """One of them."""

    def __init__(
        self, name: str, number: int, world: World, process: EffectProcess, terms: Terms, publish: Publish
    ) -> None:
        super().__init__(name, number, world, process, terms)
        self._publish = publish
        self._offer = Offer()
        self._skills: list[Skill] = []
        process.listen_about(self._told)

    @property
    def down(self) -> str | None:
        """Why it cannot be asked: its process does not run, or the remote agent behind that."""
        return super().down or self._offer.down

    def right(self, envelope: Envelope) -> tuple[str, str]:
        """NAME in the agent's list `remotes`."""
        return "remotes", self.terms.name

    def admit(self, envelope: Envelope) -> Answer | None:
        """Nothing is refused; what cannot be read is not understood."""
        read_request(bytes(envelope.message.content))
        return None

    def asked_about(self, envelope: Envelope) -> object:
        """`{"about": "skills"}`: what the card says."""
        asked: Any = exact_numbers.decode(envelope.message.content)
        if asked != {"about": "skills"}:
            raise InvalidMessage(f"{self.local} knows of its skills", hint='ask {"about": "skills"}')
        told = self._offer.description
        return {"about": "skills", "description": told, "skills": self._skills, "down": self.down}

    def _told(self, about: msgspec.Raw) -> None:
        """The process has read the card."""
        try:
            self._offer = _read(about)
        except (msgspec.MsgspecError, RecursionError):
            return
        if self._offer.skills is None:
            return
        self._skills = self._offer.skills
        self._publish(
            self.name,
            {
                "name": self.name,
                "protocols": ["fipa-request"],
                "ontologies": [ONTOLOGY],
                "languages": ["json"],
                "services": [
                    {
                        "name": one.name,
                        "type": SERVICE,
                        "properties": [{"name": "description", "value": one.description}],
                    }
                    for one in self._skills
                ],
            },
        )
