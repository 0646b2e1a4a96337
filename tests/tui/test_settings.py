"""The user's own keys and theme: what is taken, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.errors import ConfigurationError
from caxton_tui import bindings, themes
from caxton_tui.forms.message_form import MessageForm
from caxton_tui.keys import key_name
from caxton_tui.model.connection import Link
from caxton_tui.screens.panes.conversations import ConversationsPane
from caxton_tui.settings import BOXES, FILE, Settings, load_settings, place, together
from caxton_tui.widgets.status_bars import Banner

from .harness import daemon, empty, settled, stage


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Settings:
    path = folder / "tui.toml"
    path.write_text(text, "utf-8")
    monkeypatch.setenv(FILE, str(path))
    return load_settings(bindings(), themes(), key_name)


def test_without_a_file_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(bindings(), themes(), key_name) == Settings()
    monkeypatch.delenv(FILE)
    assert place().name == "tui.toml"
    assert place().parent.name == "caxton"


def test_keys_and_a_theme_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'theme = "caxton-contrast"\n[keys]\n"app.help" = "f1"\n"list.down" = "down,j"\n'
    found = load(tmp_path, monkeypatch, text)
    assert found == Settings("caxton-contrast", {"app.help": "f1", "list.down": "down,j"})


def test_two_may_change_places_and_a_box_may_have_the_keys_of_what_lies_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[keys]\n"app.help" = "c"\n"app.compose" = "?, f6"\n"held.all" = "c"\n"agents.suspend" = "t"\n'
    keys = load(tmp_path, monkeypatch, text).keys
    assert keys == {
        "app.help": "c",
        "app.compose": "question_mark,f6",
        "held.all": "c",
        "agents.suspend": "t",
    }


def test_no_key_of_ours_is_another_s_as_well() -> None:
    ours = bindings()
    for id, keys in ours.items():
        for other, others in ours.items():
            if other != id and together(id, other):
                assert not set(keys.split(",")) & set(others.split(",")), (id, other)
        assert all(key_name(key) for key in keys.split(",")), id
    assert {id.split(".")[0] for id in ours} >= BOXES


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ('[keys]\n"app.halp" = "f1"', "nothing called 'app.halp'", "app.help"),
        ('[keys]\n"app.help" = "ctrl+q"', "terminals keep ctrl+q", "another key"),
        ('[keys]\n"app.help" = 1', "app.help must be text", "f1"),
        ('[keys]\n"app.help" = "Ctrl+C"', "terminals keep Ctrl+C", "another key"),
        ('[keys]\n"app.help" = "F1"', "there is no key 'F1'", "it is called f1"),
        ('[keys]\n"app.help" = "anykey"', "there is no key 'anykey'", "a single character"),
        ('[keys]\n"app.help" = "f1,"', "there is no key ''", "comma"),
        ('[keys]\n"app.help" = "shift+a"', "there is no key 'shift+a'", "as they are typed: A"),
        ('[keys]\n"app.help" = "c"', "app.help: c is app.compose's already", "give app.compose another"),
        ('[keys]\n"list.down" = "down,n"', "n is list.problem's already", "list.problem"),
        ('[keys]\n"list.down" = "i"\n"list.up" = "i"', "i is list.", "another key"),
        ('[keys]\n"app.help" = "/"', "slash is app.filter's already", "app.filter"),
        ('[keys]\n"diagram.on" = "t"', "t is conversations.trace's already", "choose another"),
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


async def test_texts_on_screen_name_the_user_s_keys(tmp_path: Path) -> None:
    mine = Settings(
        keys={"app.retry": "f9", "app.compose": "W", "held.all": "A", "conversations.follow": "question_mark"}
    )
    async with daemon(empty(tmp_path)) as caxton, stage(tmp_path, settings=mine) as one:
        pane = one.app.main_screen.switcher.the(ConversationsPane)
        await one.until(settled(caxton), look=True)
        await one.until(lambda store: store.listed, look=True)
        assert "W sends a message, T starts a task" in pane.main.empty
        await one.press("W")
        assert isinstance(one.app.screen, MessageForm)
        await one.press("escape", "H")
        assert "A all" in str(one.app.screen.query_one(".box").border_subtitle)
        await one.press("escape")
    async with stage(tmp_path, settings=mine) as one:
        await one.until(lambda store: store.connection.link is Link.LOST)
        assert "[f9] now" in one.app.main_screen.query_one(Banner).text.plain
