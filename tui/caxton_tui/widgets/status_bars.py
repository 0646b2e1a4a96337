"""The lines around the pane: how it stands with the daemon, and what the build said.

In: the store and the clock. Out: one line of state, a banner while the daemon is away, the strip of build lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.events import Click
from textual.widget import Widget
from textual.widgets import Static

from caxton.clock import Clock
from caxton.presentation.text import plural, safe
from caxton_tui.model.connection import Link
from caxton_tui.model.context import ViewContext
from caxton_tui.model.formatting import ago
from caxton_tui.model.store import Store
from caxton_tui.widgets.typed_app import key_for, typed_app


class TextLine(Static):
    """Text that is painted again only when it is another."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.text = Text()
        """What it shows."""

    def put(self, text: Text) -> None:
        """Show that text."""
        if text != self.text:
            self.text = text
            height = self.styles.height
            # a new layout of the screen costs more than the line
            self.update(text, layout=height is None or height.is_auto)


OLD_S: Final = 3.0
"""From when on it is said how old figures are; a look is every half second."""
COMPANY: Final = 8
"""Marks of the journal's own wait for company: so few records alone are no lag."""


def titled(widget: Widget, title: str) -> None:
    """Give a box its title; the same title again would paint the whole box again."""
    # what agents said stands in titles too, and is no markup there
    title = title.replace("[", "\\[")
    if widget.border_title != title:
        widget.border_title = title


_CLICKED: Final = {
    "●": "retry",
    "✗": "retry",
    "◌": "retry",
    "⏸": "held",
    "◷": "screen('Changes')",
    "/": "filter",
}
"""What a click on a part of the status line does, by the part's sign."""


class TopLine(TextLine):
    """Where one stands, from outside in, and on the right the screens with their keys."""

    def __init__(self, labels: Sequence[str], *, id: str = "top") -> None:
        super().__init__(id=id)
        self._labels = labels
        self._tabs: list[tuple[int, int]] = []
        """Where their names stand."""

    def flush(self, label: str, crumbs: Sequence[str]) -> None:
        """One stands on that screen, at these crumbs."""
        width = self.size.width - 2
        tabs = [(f" {number} {name} ", name == label) for number, name in enumerate(self._labels, 1)]
        if sum(len(text) for text, _ in tabs) + 12 > width:
            # of six names there is room for one
            tabs = [(f" {number} ", name == label) for number, name in enumerate(self._labels, 1)]
        where = " › ".join((label, *map(safe, crumbs)))
        room = width - sum(len(text) for text, _ in tabs) - 1
        text = Text(where, "bold", no_wrap=True)
        text.truncate(max(room, 0), overflow="ellipsis")
        text.append(" " * max(room + 1 - cell_len(text.plain), 1))
        self._tabs = []
        for tab, here in tabs:
            self._tabs.append((cell_len(text.plain), cell_len(text.plain) + cell_len(tab)))
            text.append(tab, "reverse bold" if here else "dim")
        self.put(text)

    def on_click(self, event: Click) -> None:
        """Go to the screen whose name was clicked."""
        x = event.x - 1
        for label, (start, end) in zip(self._labels, self._tabs, strict=False):
            if start <= x < end:
                self.call_later(typed_app(self).run_action, f"screen({label!r})", self.screen)


class StatusLine(TextLine):
    """Daemon, cells, pace, journal, what was left out, the time."""

    def __init__(self, context: ViewContext, *, id: str = "status") -> None:
        super().__init__(id=id)
        self.context = context
        self._store = context.store
        self._read_only = context.read_only
        self._parts: list[tuple[str, str]] = []
        self.filtered = ""
        """The filter in force, and how much passes it."""

    def flush(self) -> None:
        """Bring the newest state on screen."""
        self.put(self._now())

    def _now(self) -> Text:
        store = self._store
        match store.connection.link:
            case Link.LIVE:
                head = ("● live", "green")
            case Link.LOST:
                head = ("✗ lost", "bold red")
            case Link.CONNECTING:
                head = ("◌ starting", "yellow")
        now = self.context.today()
        parts: list[tuple[str, str]] = [head]
        age_s = store.age_s(self.context.clock.monotonic())
        if age_s >= OLD_S:
            parts.append((f"figures of {ago(age_s)} ago", "yellow"))
        status = store.status
        if status is not None:
            cells, journal = status.cells, status.journal
            ready = sum(cell.state == "ready" for cell in cells)
            parts.append((safe(status.project), "bold"))
            parts.append((f"cells {ready}/{len(cells)}", "" if ready == len(cells) else "bold yellow"))
            parts.append((f"{store.messages_s:,.0f} msg/s", ""))
            parts.append((f"row {journal.committed_seq:,}", ""))
            waiting = journal.waiting_rows
            parts.append((f"lag {waiting if waiting > COMPANY else 0:,}", ""))
            if journal.failed:
                parts.append((f"! journal: {safe(journal.failed)}", "bold red"))
            if status.waits:
                names = ", ".join(dict.fromkeys(safe(one.agent) for cycle in status.waits for one in cycle))
                parts.append((f"! wait for each other: {names}", "bold red"))
            if status.loops:
                names = ", ".join(dict.fromkeys(safe(name) for loop in status.loops for name in loop.agents))
                parts.append((f"! go round in circles: {names}", "bold yellow"))
            if status.approvals.waiting:
                asked = plural(status.approvals.waiting, "approval")
                parts.append((f"⏸ {asked} wanted: {key_for(self, 'app.held')}", "bold yellow"))
            held = status.held
            if held.messages:
                parts.append((f"⏸ {held.messages:,} held: {key_for(self, 'app.held')}", "bold yellow"))
            elif held.break_points:
                parts.append(
                    (
                        f"⏸ {plural(held.break_points, 'break point')}: {key_for(self, 'app.held')}",
                        "yellow",
                    )
                )
        waiting = len(store.waiting)
        if waiting:
            parts.append(
                (f"◷ {plural(waiting, 'build')} waiting: {key_for(self, 'app.changes')}", "bold yellow")
            )
        if store.left_out:
            parts.append((f"left out {store.left_out:,}", "yellow"))
        if self.filtered:
            parts.append((safe(self.filtered), "bold"))
        if self._read_only:
            parts.append(("read-only", "bold yellow"))
        parts.append((now.strftime("%H:%M:%S"), "dim"))
        for calm in ("lag 0", "row ", "0 msg/s", "cells "):
            # what is as ever makes room for what is not
            if sum(cell_len(text) + 2 for text, _ in parts) - 2 > self.size.width - 2:
                parts = [part for part in parts if part[1] or not part[0].startswith(calm)]
        self._parts = parts
        return Text("  ").join(Text(text, style) for text, style in parts)

    def on_click(self, event: Click) -> None:
        """Do what the part that was clicked is about: what is held, what waits, the filter, the daemon."""
        left = event.x - 1
        for text, _ in self._parts:
            if left < cell_len(text):
                action = next((action for sign, action in _CLICKED.items() if text.startswith(sign)), None)
                if action is not None:
                    self.call_later(typed_app(self).run_action, action, self.screen)
                return
            left -= cell_len(text) + 2


class Banner(TextLine):
    """What is the matter while the daemon is away, and when it is tried again."""

    def __init__(self, store: Store, clock: Clock, *, id: str = "banner") -> None:
        super().__init__(id=id)
        self._store = store
        self._clock = clock

    def flush(self) -> None:
        """Bring the newest state on screen; hidden while all is well."""
        connection = self._store.connection
        self.display = connection.link is Link.LOST
        if self.display:
            now = self._clock.monotonic()
            gone, left = max(now - connection.since, 0), max(connection.again_at - now, 0)
            what = "the daemon is gone" if self._store.status else "no daemon yet"
            when = f"trying again in {left:.0f} s" if left >= 0.5 else "trying again now"
            retry = f"[{key_for(self, 'app.retry')}] now"
            gone_for = f"lost {int(gone)} s ago, {when}"
            self.put(Text(f"✗ {what}: {gone_for}  {retry}   {safe(connection.why)}"))


class BuildStrip(TextLine):
    """The newest lines of the development loop; there only where one runs."""

    def __init__(self, store: Store, *, id: str = "builds") -> None:
        super().__init__(id=id)
        self._store = store

    def flush(self) -> None:
        """Bring the newest lines on screen."""
        room = max(self.size.height, 1)
        lines = list(self._store.builds)[-room:]
        self.put(Text("\n").join(Text(line, overflow="ellipsis", no_wrap=True) for line in lines))
