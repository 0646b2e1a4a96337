"""What the app knows of its daemon: the newest state, kept in bounds. No Textual and no I/O in here.

In: what the reader hears. Out: rows of the log, agents with their rates, the connection's state; `version` grows with
every change, so that a screen sees whether there is something to paint. What is left out is counted, never silent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from caxton.client import StreamEvent
from caxton.finding import Filter
from caxton.presentation.rates import Pace, grown, pace
from caxton.presentation.text import safe
from caxton.schemas.daemon import AgentBody, StatusBody
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.held import BreakBody, HeldBody
from caxton.schemas.messages import ConversationBody, ConversationDetail, Conversations, TurnRow
from caxton_tui.model import formatting
from caxton_tui.model.connection import Connection, Link
from caxton_tui.model.conversation_search import ConversationSearch
from caxton_tui.model.json_object import Json
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.model.meter_history import MeterHistory
from caxton_tui.model.open_views import OpenAgent, OpenConversation
from caxton_tui.model.ring_buffer import RingBuffer

ROWS: Final = 10_000
"""Rows that the log keeps: about 25 MB of messages of the usual size."""
BUILD_LINES: Final = 200
PATIENCE_S: Final = 1.0
"""What is read sooner than that is not said to be read."""


class Store:
    """The newest state; one writer (the reader), any number of screens."""

    def __init__(self, rows: int = ROWS) -> None:
        self.version = 0
        self.entries: RingBuffer[LogEntry] = RingBuffer(rows)
        self.shown: RingBuffer[LogEntry] = self.entries
        """The rows that pass the filter; the ring of all where there is none."""
        self.filter: Filter | None = None
        self.connection = Connection()
        self.status: StatusBody | None = None
        self.agents: Sequence[AgentBody] = ()
        """By name."""
        self.last_seq: int | None = None
        """Up to where the stream was heard."""
        self.left_out = 0
        """Rows that were committed and never came to the log."""
        self.messages_s = 0.0
        self.builds: deque[str] = deque(maxlen=BUILD_LINES)
        self.history = MeterHistory()
        self.listed = False
        """Whether conversations were ever asked for."""
        self.conversations: Sequence[ConversationBody] = ()
        """The newest, newest first; kept up to date while a screen shows them."""
        self.search: ConversationSearch | None = None
        """What all conversations are looked through for."""
        self.deployments: Sequence[DeploymentBody] = ()
        """The newest, newest first; what their gates found without the turns."""
        self.deployments_due = True
        """Whether one of them is not as it was when they were asked for."""
        self.deployments_doubted = False
        """Whether that may be so: rows were left out."""
        self.deployment: DeploymentBody | None = None
        """The deployment that is open, whole."""
        self.turns: Sequence[TurnRow] = ()
        """The newest turns of all agents."""
        self.held: Sequence[HeldBody] = ()
        """What is held, the oldest first."""
        self.held_in: frozenset[str] = frozenset()
        """Conversations of which something is held."""
        self.breaks: Sequence[BreakBody] = ()
        """The break points."""
        self.conversation: OpenConversation | None = None
        """The conversation that is open."""
        self.agent: OpenAgent | None = None
        """The agent that is open."""
        self.on_change: list[Callable[[], None]] = []
        self.agents_due = False
        """Whether one of the agents is not as it was when they were asked for."""
        self.looked_at: float | None = None
        """When the figures were read, a moment of `monotonic`."""
        self._looked_at: float | None = None
        self._counted_at: float | None = None
        self._passed = 0.0
        """Seconds between the last two looks at the agents."""
        self._before: dict[str, AgentBody] = {}

    @property
    def platform(self) -> str:
        """The name of the daemon's platform."""
        return str(self.status.platform) if self.status else "local"

    @property
    def agent_names(self) -> list[str]:
        """The names of all agents, without the platform."""
        return [formatting.short(agent.name, self.platform) for agent in self.agents]

    @property
    def live(self) -> bool:
        """Whether the daemon answers."""
        return self.connection.link is Link.LIVE

    @property
    def unread(self) -> str:
        """What stands in the place of something that has not been read."""
        return (
            "Reading…" if self.connection.link is not Link.LOST else "Not read before the daemon went away."
        )

    def age_s(self, now: float) -> float:
        """How old the figures are, at that moment of `monotonic`; 0 before there are any."""
        return 0.0 if self.looked_at is None else max(now - self.looked_at, 0.0)

    def not_listed(self, now: float) -> str:
        """What stands in the place of lists that nobody has read yet, at that moment of `monotonic`."""
        match self.connection.link:
            case Link.LIVE:
                return "Reading…" if now - self.connection.since >= PATIENCE_S else ""
            case Link.CONNECTING:
                return "Starting: the daemon is about to answer."
            case Link.LOST:
                return "No daemon answers. Start it with: caxton up"

    @property
    def waiting(self) -> Sequence[DeploymentBody]:
        """Deployments that the gate has stopped: they wait for a decision."""
        return [one for one in self.deployments if one.waits]

    def connected(self, connection: Connection) -> None:
        """The link changed; what is shown stays."""
        if connection.link is Link.LOST:
            # what happens while nobody looks is no rate
            self._looked_at, self._counted_at, self._passed = None, None, 0.0
            self.messages_s = 0.0
        self.connection = connection
        self._changed()

    def asks_for_agents(self) -> None:
        """The agents are being asked for: only what comes after this makes them due again."""
        self.agents_due = False

    def asks_for_deployments(self) -> None:
        """The same for the deployments."""
        self.deployments_due = self.deployments_doubted = False

    def heard(self, event: StreamEvent) -> None:
        """One row of the stream, in the order of the journal. A gap counts what it says."""
        kind, seq = event.kind, event.seq
        stored = event.stored if kind == "message" else None
        data: Json = {} if stored is not None else event.data
        if seq is not None:
            self.last_seq = seq
        if kind == "gap":
            self.left_out += data["lost"]
        self.deployments_due |= kind == "deployment"
        self.agents_due |= kind == "agent"
        self.deployments_doubted |= kind == "gap"
        entry = LogEntry(kind, int(data.get("seq", seq or 0)), data, self.platform, stored)
        self.entries.add(entry)
        if self.filter is not None:
            # what was left out is said whatever is looked for
            if kind == "gap" or self.filter.passes(entry):
                self.shown.add(entry)
            # the view shows no row that the log has forgotten
            first = self.entries.at(self.entries.dropped)
            while (oldest := self.shown.at(self.shown.dropped)) and first and oldest.seq < first.seq:
                self.shown.drop()
        self._changed()

    def looked(self, at: float, status: StatusBody, agents: Sequence[AgentBody] | None = None) -> None:
        """A look at the status, and perhaps at the agents; `at` that moment of `monotonic`. Two make the rates."""
        if agents is not None:
            counted = None if self._counted_at is None else at - self._counted_at
            if counted is None or counted > 0:
                self._before = {} if counted is None else {one.name: one for one in self.agents}
                self._passed, self._counted_at = counted or 0.0, at
            self.agents = agents
        self.looked_at = at
        passed = None if self._looked_at is None else at - self._looked_at
        if passed and self.status is not None:
            self.messages_s = grown(self.status.counts["messages"], status.counts["messages"]) / passed
            waiting = sum(agent.mailbox for agent in self.agents)
            self.history.took(self.status, status, passed, waiting)
        if passed is None or passed > 0:
            self._looked_at = at
        self.status = status
        self._changed()

    def asked(
        self,
        *,
        conversations: Sequence[ConversationBody] | None = None,
        deployments: Sequence[DeploymentBody] | None = None,
        deployment: DeploymentBody | None = None,
        turns: Sequence[TurnRow] | None = None,
        agent: OpenAgent | None = None,
        held: Sequence[HeldBody] | None = None,
        breaks: Sequence[BreakBody] | None = None,
    ) -> None:
        """What the daemon said when it was asked; None: it was not asked for that."""
        if conversations is not None:
            self.listed = True
            if conversations != self.conversations:
                self.conversations = conversations
                if self.search is not None:
                    self.search.refresh(conversations)
        if deployments is not None and deployments != self.deployments:
            self.deployments = deployments
        if deployment is not None and deployment != self.deployment:
            self.deployment = deployment
        if turns is not None:
            self.turns = turns
        if held is not None:
            self.held = held
            self.held_in = frozenset(one.message.conversation_id for one in held)
        if breaks is not None:
            self.breaks = breaks
        if agent is not None and agent != self.agent:
            self.agent = agent
        self._changed()

    def look_for(self, wanted: Filter | None) -> None:
        """Look all conversations through for that from now on, beginning with the newest; None: for nothing."""
        self.search = None if wanted is None else ConversationSearch(wanted, self.platform)
        if self.search is not None:
            self.search.refresh(self.conversations)
        self._changed()

    def searched(self, search: ConversationSearch, page: Conversations) -> None:
        """A page that was asked for a search."""
        search.take(page)
        self._changed()

    def search_for(self, wanted: Filter | None) -> ConversationSearch | None:
        """The search for that filter, if it is under way or has ended."""
        return self.search if self.search is not None and self.search.wanted is wanted else None

    def conversations_for(self, wanted: Filter | None) -> Sequence[ConversationBody]:
        """The conversations that a list with that filter shows: of all those found, without a search the newest."""
        search = self.search_for(wanted)
        return self.conversations if search is None else search.found

    def open(self, id: str) -> OpenConversation:
        """Open a conversation; the reader fills it."""
        if self.conversation is None or self.conversation.id != id:
            self.conversation = OpenConversation(id)
            self._changed()
        return self.conversation

    def read(self, conversation: OpenConversation, detail: ConversationDetail) -> None:
        """A page of the conversation that is open."""
        conversation.take(detail)
        self._changed()

    def unreadable(self, conversation: OpenConversation, error: str) -> None:
        """The conversation that is open cannot be read."""
        conversation.fail(error)
        self._changed()

    def pace(self, agent: AgentBody) -> Pace:
        """One agent's rates; made for those that are painted only, for there may be ten thousand."""
        if self._passed <= 0:
            return pace(agent, agent, 1.0)
        return pace(self._before.get(agent.name, agent), agent, self._passed)

    def narrow(self, wanted: Filter | None) -> None:
        """Show only the rows that pass, those that are kept and those to come; None or an empty one: all."""
        if not wanted:
            self.filter, self.shown = None, self.entries
        else:
            self.filter, self.shown = wanted, RingBuffer(self.entries.room)
            for entry in self.entries:
                if entry.kind == "gap" or wanted.passes(entry):
                    self.shown.add(entry)
        self._changed()

    def keep(self, rows: int) -> None:
        """Keep the newest `rows` rows from now on."""
        before = list(self.entries)[-rows:]
        self.entries = RingBuffer(rows)
        for entry in before:
            self.entries.add(entry)
        self.narrow(self.filter)

    def forget(self) -> None:
        """Empty the log: the journal is another one."""
        self.entries = RingBuffer(self.entries.room)
        self.last_seq, self.left_out = None, 0
        self.conversations, self.deployments, self.turns = (), (), ()
        self.conversation, self.agent, self.deployment = None, None, None
        self.held, self.breaks, self.held_in = (), (), frozenset()
        self.deployments_due = True
        self.look_for(self.search.wanted if self.search is not None else None)
        self.history.forget()
        self.narrow(self.filter)

    def built(self, line: str) -> None:
        """A line of the development loop."""
        self.builds.append(safe(line))
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        for tell in self.on_change:
            tell()
