"""Write a diagram to a file: as Mermaid, SVG or text.

In: a timeline, a name and a form. Out: a file in the folder where the app was started; nothing is overwritten.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from caxton.diagram import Timeline, draw_mermaid, draw_svg, draw_text
from caxton_tui.keys import key
from caxton_tui.model.context import ViewContext
from caxton_tui.widgets.typed_app import key_for

FORMS: Final = {".mmd": "mermaid", ".svg": "svg", ".txt": "text"}
"""Which form a file's ending asks for."""


class ExportForm(ModalScreen[None]):
    """Asks for the file's name; its ending says the form."""

    BINDINGS: ClassVar[list[BindingType]] = [key("escape", "dismiss", "export.close", "Close")]

    def __init__(self, timeline: Timeline, context: ViewContext) -> None:
        super().__init__()
        self._story = timeline
        self.context = context

    def compose(self) -> ComposeResult:
        """A line for the name, and what it means."""
        name = re.sub(r"[^\w.-]+", "-", self._story.id)[:60] or "conversation"
        with Vertical(classes="box"):
            line = Input(f"{name}.svg", id="export-name", compact=True)
            line.cursor_blink = False
            yield line
            yield Static(id="export-note", markup=False)

    def on_mount(self) -> None:
        """Name the box."""
        self.query_one(".box").border_title = "Export the diagram"
        self._note()

    def on_input_changed(self) -> None:
        """The command goes with the name."""
        self._note()

    def on_input_submitted(self) -> None:
        """Write the file."""
        # ~NAME of an unknown user is a file name like any other
        path = Path(os.path.expanduser(self.query_one(Input).value.strip()))
        form = FORMS.get(path.suffix)
        if form is None:
            self.notify(f"the ending says the form: {', '.join(FORMS)}", severity="error")
            return
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(drawn(self._story, form, self.context.now_us))
        except OSError as error:
            self.notify(f"{path}: {error.strerror or error}", severity="error", markup=False)
            return
        self.notify(f"written: {path}", markup=False)
        self.dismiss()

    def _note(self) -> None:
        path = Path(self.query_one(Input).value.strip())
        form = FORMS.get(path.suffix, "svg")
        forms = ", ".join(f"{ending} {form}" for ending, form in FORMS.items())
        self.query_one("#export-note", Static).update(
            f"{forms} · enter writes, {key_for(self, 'export.close')} closes\n"
            f"caxton conv export {shlex.quote(self._story.id)} --format {form} > {shlex.quote(str(path))}"
        )


def drawn(timeline: Timeline, form: str, now_us: int) -> str:
    """The diagram in that form."""
    match form:
        case "mermaid":
            return draw_mermaid(timeline) + "\n"
        case "svg":
            return draw_svg(timeline, now_us=now_us)
        case _:
            return draw_text(timeline, 160, now_us=now_us) + "\n"
