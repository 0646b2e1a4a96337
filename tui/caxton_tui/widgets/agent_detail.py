"""One agent: how it stands, what it logged, whom it talks with, what was sent to it, how it came to be.

In: its line in the list, and what was asked about it. Out: one of five pages of text that scroll.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from caxton import exact_numbers
from caxton.presentation.text import memory, plural, safe, size, span
from caxton.schemas.daemon import AgentBody, UsageBody
from caxton_tui.keys import hidden_key, key
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.open_views import OpenAgent
from caxton_tui.widgets.lists.agent_list import state
from caxton_tui.widgets.lists.conversation_list import protocol
from caxton_tui.widgets.lists.conversation_list import state as conversation_state
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.columns import fields

BAR: Final = 20
"""Characters of a bar that is full."""
PAGES: Final = ("Overview", "Logs", "Conversations", "Mailbox", "History")
_CUT: Final = 300


class AgentDetail(VerticalScroll):
    """The agent that is open, one page of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        hidden_key("left,h", "page(-1)", "room.before", "Page before"),
        key("right,l", "page(1)", "room.next", "Next page", "Logs, conversations, mailbox, history"),
        hidden_key("up,k", "scroll_up", "room.up", "Up"),
        hidden_key("down,j", "scroll_down", "room.down", "Down"),
    ]

    def __init__(self, context: ViewContext, *, id: str = "room") -> None:
        super().__init__(id=id)
        self.context = context
        self.page = PAGES[0]
        self._seen: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="room-text")

    def flush(self, agent: AgentBody | None) -> None:
        """Show that agent as it is now."""
        opened = self.context.store.agent
        seen = (agent, opened, self.page, self.context.store.messages_s, self.context.store.unread)
        if seen == self._seen:
            return
        self._seen = seen
        name = formatting.short(agent.name, self.context.store.platform) if agent else "Agent"
        pages = "  ".join(f"[{page}]" if page == self.page else page for page in PAGES)
        titled(self, f"{name} · {pages}")
        self.query_one("#room-text", Static).update(self._text(agent, opened))

    def action_page(self, by: int) -> None:
        """Another page."""
        self.page = PAGES[(PAGES.index(self.page) + by) % len(PAGES)]
        self.scroll_home(animate=False)
        self._seen = ()
        opened = self.context.store.agent
        self.flush(
            next((one for one in self.context.store.agents if opened and one.name == opened.name), None)
        )

    def _text(self, agent: AgentBody | None, opened: OpenAgent | None) -> RenderableType:
        if agent is None:
            return Text("Choose an agent.", "dim")
        if self.page == "Overview":
            return self._overview(agent)
        if opened is None or opened.name != agent.name:
            return Text(self.context.store.unread, "dim")
        if opened.error:
            return Text(safe(opened.error), "bold red")
        match self.page:
            case "Logs":
                return _rows(self._logs(opened), "It has logged nothing.")
            case "Conversations":
                return _rows(self._conversations(opened), "It takes part in no conversation.")
            case "Mailbox":
                head = Text(f"{agent.mailbox:,} waiting, {agent.in_flight:,} in its cell\n", "bold")
                return Group(head, _rows(self._messages(opened), "Nobody has written to it."))
            case _:
                return _rows(self._history(opened), "It was never deployed.")

    def _overview(self, agent: AgentBody) -> RenderableType:
        pace = self.context.store.pace(agent)
        lines: list[tuple[str, str]] = [
            ("state", state(agent)),
            ("revision", str(agent.revision or "none")[:16]),
            ("profile", safe(agent.profile)),
            ("cell", f"{'none' if agent.cell is None else agent.cell}, {agent.restarts} restarts"),
            ("memory", f"{memory(agent.memory_kib)} of {size(agent.limits.get('memory_bytes'))}"),
            ("mailbox", f"{agent.mailbox:,} waiting, {agent.in_flight:,} in its cell"),
            ("turns", f"{agent.turns:,}, {agent.failed_turns:,} failed, {agent.sent:,} sent"),
            ("pace", f"{formatting.brief(pace.turns_s)} turns/s, {formatting.brief(pace.fuel_s)} fuel/s"),
            ("fuel", f"{agent.fuel:,}, {span(agent.turn_us / 1e6)} in turns"),
            ("hooks", ", ".join(safe(hook) for hook in agent.hooks) or "none"),
        ]
        if agent.maker:
            lines.append(("maker", safe(agent.maker) + (", linked" if agent.linked else "")))
        children = [one.name for one in self.context.store.agents if one.maker == agent.name]
        if children:
            lines.append(("children", safe(", ".join(children))[:_CUT]))
        if agent.timers:
            lines.append(("timers", f"{agent.timers:,} set"))
        if agent.topics:
            lines.append(("topics", safe(", ".join(agent.topics))[:_CUT]))
        opened = self.context.store.agent
        if opened is not None and opened.name == agent.name and opened.usage is not None:
            lines += [("budget" if not place else "", line) for place, line in enumerate(spent(opened.usage))]
        if agent.last_error:
            lines.append(("error", safe(str(agent.last_error)[:_CUT])))
        if agent.settings:
            lines.append(("settings", safe(exact_numbers.text(agent.settings)[:_CUT])))
        for name, limit in agent.limits.items():
            told = size(limit) if name.endswith("bytes") else f"{limit:,}"
            lines.append(("limit" if name == next(iter(agent.limits)) else "", f"{safe(name)} {told}"))
        return fields(((name, value, "bold red" if name == "error" else "") for name, value in lines), 9)

    def _logs(self, opened: OpenAgent) -> Iterator[tuple[str, str, str]]:
        for line in opened.logs:
            level = safe(line.level)
            bad = "bold red" if level == "error" else "yellow" if level.startswith("warn") else ""
            yield self.context.hour(line.at), f"{level}: {safe(str(line.message)[:_CUT])}", bad

    def _conversations(self, opened: OpenAgent) -> Iterator[tuple[str, str, str]]:
        for one in opened.conversations:
            who = ", ".join(formatting.short(name, self.context.store.platform) for name in one.participants)
            text = (
                f"{safe(one.id)}  {protocol(one)}  {conversation_state(one)}  {one.messages} messages, {who}"
            )
            yield self.context.hour(one.started_at), text[:_CUT], ""

    def _messages(self, opened: OpenAgent) -> Iterator[tuple[str, str, str]]:
        for body in opened.messages:
            message = body.message
            if opened.name not in (
                formatting.short(name, self.context.store.platform) for name in message.receiver
            ):
                continue
            mine = [
                turn
                for turn in body.turns or ()
                if formatting.short(turn.agent, self.context.store.platform) == opened.name
            ]
            letters = [letter.reason for letter in body.dead_letters or ()]
            became = safe(mine[-1].ended) if mine else f"✗ {safe(letters[0])}" if letters else "◌ waits"
            bad = "bold red" if letters or (mine and mine[-1].failed) else ""
            who = formatting.short(message.sender, self.context.store.platform)
            text = f"{became}  {safe(message.performative)} from {who}  {formatting.content(message)}"
            yield self.context.hour(body.at), text[:_CUT], bad

    def _history(self, opened: OpenAgent) -> Iterator[tuple[str, str, str]]:
        for one in opened.deployments:
            builds = f"{str(one.previous or 'nothing')[:8]} → {str(one.revision or 'none')[:8]}"
            reason = f": {safe(one.reason)[:_CUT]}" if one.reason else ""
            bad = "bold red" if one.state in ("failed", "rolled_back") else ""
            yield (
                self.context.hour(one.created_at),
                f"{builds}  {one.strategy}  {one.state}{reason}",
                bad,
            )


def _rows(rows: Iterator[tuple[str, str, str]], nothing: str) -> RenderableType:
    table = fields(rows)
    return table if table.row_count else Text(nothing, "dim")


def spent(usage: UsageBody) -> Iterator[str]:
    """What an agent has spent on models, and how much of its budget that is; with what open calls may cost."""
    tokens, money = usage.tokens + usage.reserved_tokens, usage.money + usage.reserved_money
    of_tokens = "" if usage.limit_tokens is None else f" of {usage.limit_tokens:,}"
    yield f"{_bar(tokens, usage.limit_tokens)}{tokens:,}{of_tokens} tokens in {plural(usage.calls, 'call')}"
    if money or usage.limit_money is not None:
        of_money = "" if usage.limit_money is None else f" of {usage.limit_money:g}"
        yield f"{_bar(money, usage.limit_money)}{money:,.4f}{of_money} of money"


def _bar(used: float, limit: float | None) -> str:
    if limit is None:
        return ""
    full = BAR if used >= limit else int(BAR * used / limit)
    return f"{'█' * full}{'░' * (BAR - full)} "
