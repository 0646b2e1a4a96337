"""One message whole, in lines that are painted on demand, wrapped or cut; its content can be folded.

In: a row of the log, and what the daemon says of it when it is asked. Out: rows; what stands at the cursor can be
copied, and so can the path to it.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from caxton import exact_numbers
from caxton.presentation.cells import fitted
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton_tui.keys import hidden_key, key
from caxton_tui.model import formatting
from caxton_tui.model.json_lines import containers
from caxton_tui.model.log_entry import LogEntry
from caxton_tui.widgets.detail_lines import LABEL_ROOM, DetailLine, detail_lines
from caxton_tui.widgets.status_bars import titled
from caxton_tui.widgets.tables.columns import Part, Piece, wrapped
from caxton_tui.widgets.tables.searchable import Searchable
from caxton_tui.widgets.typed_app import typed_app


class MessageDetail(Searchable):
    """The message under the cursor of the log."""

    HELP = "One message: its fields, its content, and the turns that it made."
    BINDINGS: ClassVar[list[BindingType]] = [
        key("space", "fold", "detail.fold", "Fold", "Fold what begins here, or open it"),
        hidden_key("u", "unfold", "detail.unfold", "Unfold", "Open all that is folded, or fold all"),
        key("w", "wrap", "detail.wrap", "Wrap", "Long lines over several lines, or cut"),
        hidden_key("Y", "path", "detail.path", "Path", "Copy the path to what stands at the cursor"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.wraps = True
        """Whether long lines take several lines; else they are cut."""
        self._shown: tuple[LogEntry, MessageBody | HeldBody | None, str] | None = None
        self._folded: set[str] = set()
        self._lines: list[DetailLine] = []
        self._rows: list[tuple[int, list[Piece]]] = []
        """What is painted: of which line, and its pieces."""
        self._title = ""

    def on_mount(self) -> None:
        """Say what this place is for."""
        self.border_title = "Message"

    def display_entry(
        self, entry: LogEntry | None, outcome: MessageBody | HeldBody | None, unread: str = ""
    ) -> None:
        """Show a row; `outcome` is the message as the daemon has it, or None: `unread` says why."""
        if entry is None:
            return
        if self._shown is None or self._shown[0].seq != entry.seq:
            self.cursor = None
            self.scroll_home(animate=False)
        self._shown = (entry, outcome, unread)
        titled(self, "Message" if entry.kind == "message" else "Event")
        self._read()

    def _read(self) -> None:
        """Make the lines, and lay them out."""
        if self._shown is not None:
            entry = self._shown[0]
            what = (
                f"{entry.act}  {entry.sender} → {entry.to}"
                if entry.kind == "message"
                else entry.kind.replace("_", " ")
            )
            self._title = f"{formatting.sign(entry.kind, entry.act)} {what}"
            self._lines = list(detail_lines(*self._shown, self._folded))
            self._lay()

    def _lay(self) -> None:
        room = max(self.width - LABEL_ROOM - 3, 8)
        self._rows = []
        for place, line in enumerate(self._lines):
            rows = wrapped(line.pieces, room) if self.wraps else [list(line.pieces)]
            self._rows += [(place, row) for row in rows]
        if self.cursor is not None:
            self.cursor = min(self.cursor, max(len(self._rows) - 1, 0))
        self.fit()
        self.refresh()

    def on_resize(self) -> None:
        """Another room is laid out anew."""
        self._lay()

    # what a listing says about itself

    @property
    def total(self) -> int:
        """Rows."""
        return len(self._rows)

    def heading(self, width: int) -> list[Part]:
        """Who said what to whom."""
        return [(self._title, width, "")]

    def pieces(self, number: int, width: int) -> list[Piece]:
        """The name before the first row of a line, and what the row says."""
        place, row = self._rows[number]
        first = number == 0 or self._rows[number - 1][0] != place
        return [(fitted(self._lines[place].name if first else "", LABEL_ROOM) + " ", "listing--dim"), *row]

    def searched(self, number: int) -> str:
        """The line that a row begins, so that what is wrapped is found too; the rows after it hold nothing."""
        place, _ = self._rows[number]
        begins = number == 0 or self._rows[number - 1][0] != place
        return f"{self._lines[place].name} {self._lines[place].text}" if begins else ""

    @property
    def chosen(self) -> DetailLine | None:
        """The line at the cursor."""
        return None if self.cursor is None or not self._rows else self._lines[self._rows[self.cursor][0]]

    @property
    def copied(self) -> str:
        """What stands at the cursor: of the content the value, else what the line says; without a cursor all of it."""
        line = self.chosen
        if line is None:
            return "" if self._shown is None else _whole(self._shown[0])
        if not line.path:
            return line.text
        return line.value if isinstance(line.value, str) else exact_numbers.text(line.value, 2)

    def problem(self, number: int) -> bool:
        """Whether a row says that something went wrong."""
        return any(name == "listing--bad" for _, name in self._rows[number][1])

    # folding

    def prepare(self) -> None:
        """Everything is opened."""
        self._fold(set())

    def _fold(self, paths: set[str], path: str = "") -> None:
        """Those are folded now; the cursor stays with its path, or goes to that one."""
        path = path or (self.chosen.path if self.chosen is not None else "")
        self._folded = paths
        self._read()
        if path:
            places = (n for n, (place, _) in enumerate(self._rows) if self._lines[place].path == path)
            at = next(places, None)
            if at is not None:
                self.put(at)

    def action_fold(self) -> None:
        """Fold what begins at the cursor, or what it stands in; open what is folded."""
        line = self.chosen
        if line is None or not line.path:
            self.notify("put the cursor on a line of the content", timeout=2)
        elif line.path in self._folded:
            self._fold(self._folded - {line.path})
        else:
            path = line.path if line.folds else _outside(line.path)
            self._fold(self._folded | {path}, path)

    def action_choose(self) -> None:
        """The same by enter."""
        self.action_fold()

    def action_unfold(self) -> None:
        """Open all that is folded; where nothing is, fold all."""
        content = self._shown[0].message.content if self._shown else None
        self._fold(set() if self._folded else containers(content))

    def action_wrap(self) -> None:
        """Long lines over several lines, or cut."""
        self.wraps = not self.wraps
        self._lay()

    def action_path(self) -> None:
        """Copy the path to what stands at the cursor."""
        line = self.chosen
        if line is None or not line.path:
            self.notify("put the cursor on a line of the content", timeout=2)
        else:
            typed_app(self).copy_to_clipboard(line.path)
            self.notify(f"copied: {line.path[:60]}", timeout=3, markup=False)


def _outside(path: str) -> str:
    """The path to what that stands in."""
    before = path[: max(path.rfind("."), path.rfind("["))]
    return before or "."


def _whole(entry: LogEntry) -> str:
    return exact_numbers.text(entry.message.json or entry.data, 2)
