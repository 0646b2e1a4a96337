"""The agent `tool.NAME`: calls of the tools of one MCP server.

In: `request` with what `vocabulary` reads, `query-ref` for the tools. Out: `refuse` for what is not to be called; else
what the tool says. What the server offers stands in the directory of services as long as the daemon runs, and is
brought up to date when the server says so. Arguments are checked in the process, by the schema of that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from caxton import exact_numbers
from caxton.bus.envelope import Envelope
from caxton.config import ToolTable
from caxton.effects.agent import Answer, EffectAgent, Terms, World, refuse
from caxton.effects.process import EffectProcess
from caxton.effects.tools.vocabulary import ONTOLOGY, SERVICE, Ask, Offer, Offered, Tool, read_request
from caxton.errors import InvalidMessage

Json = dict[str, Any]
Publish = Callable[[str, Json], None]
"""Put an agent's description into the directory of services, in the place of the one before."""

_read = msgspec.json.Decoder(Offer).decode


class ToolAgent(EffectAgent):
    """One of them."""

    def __init__(
        self,
        name: str,
        number: int,
        world: World,
        process: EffectProcess,
        terms: Terms,
        table: ToolTable,
        publish: Publish,
    ) -> None:
        super().__init__(name, number, world, process, terms)
        self._idempotent = table.idempotent
        self._offered = Offered(table.allow, table.deny)
        self._publish = publish
        self._tools: dict[str, Tool] = {}
        self._last_call: tuple[int, Ask] = (0, Ask(""))
        """What was read last, by the number of its message."""
        self._calling: dict[int, Ask] = {}
        """What is called and not answered."""
        self._server_down: str | None = None
        process.listen_about(self._told)

    @property
    def down(self) -> str | None:
        """Why it cannot be asked: its process does not run, or the server behind that."""
        return super().down or self._server_down

    def right(self, envelope: Envelope) -> tuple[str, str]:
        """NAME.TOOL in the agent's list `tools`."""
        return self.terms.key, f"{self.terms.name}.{self._call_of(envelope).tool}"

    def admit(self, envelope: Envelope) -> Answer | None:
        """A refusal for what the project does not let be called."""
        asked = self._call_of(envelope)
        tool = asked.tool
        if self._offered.has(tool):
            self._calling[envelope.seq] = asked
            return None
        hint = f"in caxton.toml: [tools.{self.terms.name}] allow, deny"
        return refuse("tool-not-allowed", f"{self.local} does not offer {tool}", hint)

    def is_idempotent(self, envelope: Envelope) -> bool:
        """What the project says, else the tool's annotations."""
        if self._idempotent is not None:
            return self._idempotent
        tool = self._tools.get(self._call_of(envelope).tool)
        return tool is not None and tool.idempotent

    def answered(self, envelope: Envelope, answer: Answer) -> Answer:
        """The answer as it is; the call is over."""
        self._calling.pop(envelope.seq, None)
        return answer

    def _call_of(self, envelope: Envelope) -> Ask:
        """What is asked; read once."""
        known = self._calling.get(envelope.seq)
        if known is not None:
            return known
        if self._last_call[0] != envelope.seq:
            self._last_call = envelope.seq, read_request(bytes(envelope.message.content))
        return self._last_call[1]

    def asked_about(self, envelope: Envelope) -> object:
        """`{"about": "tools"}`: what there is."""
        asked: Any = exact_numbers.decode(envelope.message.content)
        if asked != {"about": "tools"}:
            raise InvalidMessage(f"{self.local} knows of its tools", hint='ask {"about": "tools"}')
        return {"about": "tools", "tools": list(self._tools.values()), "down": self.down}

    def _told(self, about: msgspec.Raw) -> None:
        """The process says what the server offers now."""
        try:
            offer = _read(about)
        except (msgspec.MsgspecError, RecursionError):
            return
        self._server_down = offer.down
        if offer.tools is None:
            return
        self._tools = {one.name: one for one in offer.tools}
        self._publish(
            self.name,
            {
                "name": self.name,
                "protocols": ["fipa-request"],
                "ontologies": [ONTOLOGY],
                "languages": ["json"],
                "services": [_service(one) for one in offer.tools],
            },
        )


def _service(tool: Tool) -> Json:
    told = {
        "description": tool.description,
        "schema": tool.schema,
        "output_schema": tool.output_schema,
        "annotations": tool.annotations,
    }
    properties = [{"name": name, "value": value} for name, value in told.items() if value]
    return {"name": tool.name, "type": SERVICE, "properties": properties}
