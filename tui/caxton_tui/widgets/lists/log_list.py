"""The log: the newest rows of the journal as they are committed.

In: the store's ring of rows. Out: one line each. It follows the end until somebody scrolls or chooses a row; `f`
follows again. Under a full ring the rows on screen stay where they are as older ones go.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from textual.reactive import reactive

from caxton import exact_numbers
from caxton.finding import Filter
from caxton.schemas.messages import MessageBody
from caxton_tui.model import formatting
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.model.store import Store
from caxton_tui.widgets.tables.columns import Part
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.typed_app import key_for

_STYLES: Final = {"?": "listing--ask", "+": "listing--offer", "=": "listing--good", "-": "listing--warn"}


class LogList(Listing):
    """Messages and events, the newest last. `zone`: of the times; None is this machine's."""

    following: reactive[bool] = reactive(True)

    def __init__(self, store: Store, zone: tzinfo | None = None, *, id: str = "log-list") -> None:
        super().__init__(id=id)
        self._store = store
        self._zone = zone
        self._ring = store.shown
        self._dropped = 0
        self._end = -1

    @property
    def total(self) -> int:
        """Rows that pass the filter."""
        return len(self._store.shown)

    @property
    def wanted(self) -> Filter | None:
        """The filter in force."""
        return self._store.filter

    def narrow(self, wanted: Filter | None) -> None:
        """Show only the rows that pass, those that are kept and those to come."""
        self._store.narrow(wanted)

    def problem(self, number: int) -> bool:
        """Whether a row says that something went wrong."""
        entry = self._entry_at(number)
        return entry is not None and entry.problem

    @property
    def copied(self) -> str:
        """The message or event under the cursor as JSON."""
        entry = self.chosen
        if entry is None:
            return ""
        return exact_numbers.text(entry.message.json or entry.data, 2)

    @property
    def empty(self) -> str:
        """What to do next."""
        if self._store.filter is not None:
            return f"No row passes the filter.\n{key_for(self, 'app.back')} drops it."
        write = key_for(self, "app.compose")
        return f"Nothing has happened yet.\nPress {write} to send a message, or in a shell: caxton demo"

    @property
    def chosen(self) -> LogEntry | None:
        """The row under the cursor."""
        return None if self.cursor is None else self._entry_at(self.cursor)

    def flush(self) -> None:
        """Bring the store's newest rows on screen: once a frame, whatever came since the last."""
        ring = self._store.shown
        if ring is not self._ring:
            self._ring, self._dropped, self._end = ring, ring.dropped, -1
            self.cursor = None
            self.following = True
        gone, self._dropped = ring.dropped - self._dropped, ring.dropped
        if gone and not self.following:
            if self.cursor is not None:
                self.cursor = max(self.cursor - gone, 0)
            self.scroll_to(y=max(self.top - gone, 0), animate=False, force=True, immediate=True)
        if ring.end != self._end or self.virtual_size.width != self.width:
            self._end = ring.end
            self.fit()
            if self.following:
                self.to_end()
            self.refresh()

    def to_end(self) -> None:
        """Scroll to the newest row."""
        self.scroll_to(y=max(self.total - self.room, 0), animate=False, force=True, immediate=True)

    def follow(self, wanted: bool) -> None:
        """Follow the end, or stay."""
        self.following = wanted
        if wanted:
            self.cursor = None
            self.to_end()
        self.refresh()

    def put(self, number: int) -> None:
        """A row that is chosen stays on screen, so following ends."""
        self.following = False
        super().put(number)

    def on_mouse_scroll_up(self) -> None:
        """Who scrolls back wants to read."""
        self.following = False

    def on_resize(self) -> None:
        """Keep the end at the end, or the cursor on screen."""
        super().on_resize()
        if self.following:
            self.to_end()

    def heading(self, width: int) -> list[Part]:
        """The columns of the headings."""
        return self._columns(
            width, ("TIME", "", "ACT", "FROM → TO", "CONVERSATION" if width >= 100 else "CONV", "CONTENT"), ""
        )

    def row(self, number: int, width: int) -> list[Part]:
        """One message or event."""
        entry = self._entry_at(number)
        if entry is None:
            return []
        sign = formatting.sign(entry.kind, entry.act)
        if entry.kind != "message":
            style = "listing--bad" if sign in "!…" else "listing--warn" if sign == "⏸" else "listing--dim"
            act = entry.kind.replace("_", " ")
            return [
                (_time(entry.at, self._zone), 8, "listing--dim"),
                (f"{sign} {act}", 17, style),
                (entry.text, width, style),
            ]
        way = f"{entry.sender} → {entry.to}"
        if isinstance(entry.stored, MessageBody) and entry.stored.redelivered:
            sign = "↻"
        texts = (_time(entry.at, self._zone), sign, entry.act, way, entry.conversation, entry.text)
        return self._columns(width, texts, _STYLES.get(sign, "listing--bad" if sign == "!" else ""))

    def _columns(self, width: int, texts: tuple[str, str, str, str, str, str], style: str) -> list[Part]:
        time, sign, act, way, conversation, content = texts
        plain = not style
        parts: list[Part] = [
            (time, 8, "" if plain else "listing--dim"),
            (f"{sign} {act}" if sign else f"  {act}", 17, style),
            (way, 22 if width < 100 else 28, "" if plain else "listing--name"),
        ]
        if width >= 76:
            parts.append((conversation, 9 if width < 100 else 18, "" if plain else "listing--dim"))
        parts.append((content, width, ""))
        return parts

    def _entry_at(self, number: int) -> LogEntry | None:
        ring = self._store.shown
        return ring.at(ring.dropped + number)


@lru_cache(maxsize=1024)
def _second(second: datetime, zone: tzinfo | None) -> str:
    return second.astimezone(zone).strftime("%H:%M:%S")


def _time(moment: datetime | None, zone: tzinfo | None) -> str:
    return _second(moment.replace(microsecond=0), zone) if moment else ""
