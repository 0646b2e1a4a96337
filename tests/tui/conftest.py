"""Pictures of the screen as SVG files that a test compares with."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from caxton_tui import CaxtonApp

SHOTS = Path(__file__).parent / "snapshots"
_TEXT = re.compile(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-shots", action="store_true", help="Write the pictures anew.")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a person may have set that would change every picture."""
    for name in ("NO_COLOR", "CAXTON_TUI_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CAXTON_TUI_CONFIG", str(tmp_path / "no-settings.toml"))
    monkeypatch.setenv("CAXTON_TUI_STATE", str(tmp_path / "tui-state.json"))


@pytest.fixture
def shot(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[CaxtonApp, str], None]:
    """Compares the screen with the picture of that name; `--update-shots` makes it the picture."""

    def compare(app: CaxtonApp, name: str) -> None:
        seen = normal(app.export_screenshot(simplify=True))
        path = SHOTS / f"{name}-{app.size.width}x{app.size.height}.svg"
        if request.config.getoption("--update-shots", default=False):
            SHOTS.mkdir(exist_ok=True)
            path.write_text(seen, "utf-8")
            return
        assert path.is_file(), f"there is no {path.name}; make it with: just shots"
        known = path.read_text("utf-8")
        if seen != known:
            fresh = tmp_path / path.name
            fresh.write_text(seen, "utf-8")
            lines = list(
                difflib.unified_diff(words(known), words(seen), "picture", "screen", lineterm="", n=1)
            )
            what = "\n".join(lines) or "the words are the same: colours or places differ"
            pytest.fail(
                f"{path.name} is another picture\n{what}\nseen: {fresh}\nupdate: just shots", pytrace=False
            )

    return compare


def normal(svg: str) -> str:
    """The picture without the numbers that are random, and without fonts from elsewhere."""
    svg = re.sub(r"terminal-\d+-", "terminal-", svg)
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def words(svg: str) -> list[str]:
    """The lines of the screen in a picture."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in _TEXT.findall(svg):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return [" ".join(text for _, text in sorted(row)).rstrip() for _, row in sorted(rows.items())]
