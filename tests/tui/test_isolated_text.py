"""Text that is written from the right, in the lines of every pane."""

from __future__ import annotations

from pathlib import Path

from rich.segment import Segment
from textual.color import Color

from caxton_tui import CaxtonApp
from caxton_tui.widgets.isolated_text import IsolatedText


def test_only_what_is_written_from_the_right_is_marked() -> None:
    black = Color(0, 0, 0)
    plain = [Segment("│ "), Segment("漢字 👩‍👩‍👧 é"), Segment("12")]
    assert IsolatedText().apply(plain, black) == plain
    mixed = [Segment("│ "), Segment("שלום"), Segment("12"), Segment("سلام")]
    texts = [segment.text for segment in IsolatedText().apply(mixed, black)]
    assert texts == ["│ ", "\u2066שלום\u2069", "12", "\u2066سلام\u2069"]


def test_every_pane_of_the_app_is_passed_by(tmp_path: Path) -> None:
    app = CaxtonApp(tmp_path)
    assert any(isinstance(one, IsolatedText) for one in app.get_line_filters())
