"""Who talks to whom, live.

In: the rows of the log. Out: the links, and where one is chosen its sender and receiver, for the log.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.model.topology import AgentLink, Topology
from caxton_tui.screens.columns import ColumnsScreen
from caxton_tui.widgets.lists.link_list import LinkList
from caxton_tui.widgets.tables.listing import Listing
from caxton_tui.widgets.tables.table import Table
from caxton_tui.widgets.typed_app import key_for, typed_app

LOOKS_S: Final = 4


class LinksScreen(ModalScreen[AgentLink | None]):
    """The box over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("escape,W", "dismiss(None)", "links.close", "Close"),
    ]

    def __init__(self, context: ViewContext, topology: Topology) -> None:
        super().__init__()
        self.context = context
        self._topology = topology

    def compose(self) -> ComposeResult:
        """The links."""
        with Vertical(classes="box whole-box"):
            yield LinkList(self.context, self._topology)

    def on_mount(self) -> None:
        """Begin to look."""
        choose, close = key_for(self, "list.choose"), key_for(self, "links.close")
        columns = key_for(self, "table.columns")
        self.query_one(
            ".box"
        ).border_subtitle = f"{choose} its rows of the log · {columns} order · {close} closes"
        self.flush()
        self.set_interval(1 / LOOKS_S, self.flush)

    @property
    def list(self) -> LinkList:
        """The links."""
        return self.query_one(LinkList)

    def flush(self) -> None:
        """Count what came."""
        store = self.context.store
        self._topology.read(store.entries)
        self.list.take(self._topology.links)
        messages = sum(link.messages for link in self._topology.links)
        left = f" · {store.left_out:,} left out" if store.left_out else ""
        self.query_one(".box").border_title = f"Who talks to whom: {messages:,} messages{left}"

    @on(Listing.Chosen)
    def chosen(self) -> None:
        """Its rows of the log."""
        self.dismiss(self.list.chosen)

    @on(Table.Arrange)
    def choose_columns(self, event: Table.Arrange) -> None:
        """Columns, and by which it is sorted."""
        typed_app(self).push_screen(ColumnsScreen(event.table))
