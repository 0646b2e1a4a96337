"""The user's own keys and theme: what is taken, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.errors import ConfigurationError
from caxton_tui import binding_ids, themes
from caxton_tui.settings import FILE, Settings, load_settings, place


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Settings:
    path = folder / "tui.toml"
    path.write_text(text, "utf-8")
    monkeypatch.setenv(FILE, str(path))
    return load_settings(binding_ids(), themes())


def test_without_a_file_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(binding_ids(), themes()) == Settings()
    monkeypatch.delenv(FILE)
    assert place().name == "tui.toml"
    assert place().parent.name == "caxton"


def test_keys_and_a_theme_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'theme = "caxton-contrast"\n[keys]\n"app.help" = "f1"\n"list.down" = "down,j"\n'
    found = load(tmp_path, monkeypatch, text)
    assert found == Settings("caxton-contrast", {"app.help": "f1", "list.down": "down,j"})


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ('[keys]\n"app.halp" = "f1"', "nothing called 'app.halp'", "app.help"),
        ('[keys]\n"app.help" = "ctrl+s"', "terminals keep ctrl+s", "another key"),
        ('[keys]\n"app.help" = 1', "app.help must be text", "f1"),
        ("keys = 1", "keys must be a table", "[keys]"),
        ('theme = "pink"', "there is no theme 'pink'", "caxton-contrast"),
        ("colour = 1", "there is no setting 'colour'", "theme and keys"),
        ("theme = ", "tui.toml", "docs/tui.md"),
    ],
)
def test_what_is_wrong_is_refused_with_its_name(
    text: str, says: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, monkeypatch, text)
    assert says in caught.value.message
    assert hint in str(caught.value.hint)
