"""What somebody chose on screen and finds again at the next start: order and columns of lists, filters by their names.

In: `tui.json` in the user's state folder (`XDG_STATE_HOME`), or the file that `CAXTON_TUI_STATE` names. Out: the
choices, written at once when one changes. A file that cannot be read is left as it is, and nothing is kept. No Textual.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

FILE: Final = "CAXTON_TUI_STATE"
"""The environment's variable that names another file."""


class TableView(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a list is shown."""

    sort: str = ""
    """The heading of the column that it is sorted by; empty: as the daemon has it."""
    descending: bool = False
    hidden: tuple[str, ...] = ()
    """Headings of columns that are left out."""


class _File(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    tables: dict[str, TableView] = {}
    filters: dict[str, str] = {}


def place() -> Path:
    """Where the file is, whether there is one or not."""
    named = os.environ.get(FILE)
    return Path(named) if named else platformdirs.user_state_path("caxton") / "tui.json"


class KeptViews:
    """The choices of one user, the same for all projects."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _File()
        self.trouble = ""
        """Why nothing is kept; empty where all is well."""
        self._read()

    def table(self, id: str) -> TableView:
        """How that list is shown."""
        return self._file.tables.get(id, TableView())

    @property
    def filters(self) -> Mapping[str, str]:
        """Filters by their names."""
        return self._file.filters

    def keep_table(self, id: str, view: TableView) -> None:
        """Show that list so from now on."""
        self._read()
        tables = {**self._file.tables, id: view}
        self._write(msgspec.structs.replace(self._file, tables=tables))

    def keep_filter(self, name: str, text: str) -> None:
        """Keep a filter under that name; an empty one forgets it."""
        self._read()
        filters = {**self._file.filters, name: text}
        if not text:
            del filters[name]
        self._write(msgspec.structs.replace(self._file, filters=filters))

    def _read(self) -> None:
        """What is there now: another terminal may have changed it."""
        if self.trouble:
            return
        try:
            self._file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            pass
        except OSError as error:
            self.trouble = f"{self._path} cannot be read: {error.strerror}"
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.trouble = f"{self._path} is not what was kept: {error}; mend or remove it"

    def _write(self, file: _File) -> None:
        self._file = file
        if self.trouble:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
            beside.replace(self._path)
        except OSError as error:
            self.trouble = f"{self._path} cannot be written: {error.strerror}"
