"""What variables of the environment have for others is hidden, wherever a text is shown or kept."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from caxton.access import Role, hide, redacted
from caxton.access.redaction import redacted_json
from caxton.config import load
from caxton.telemetry.logs import harmless

from .asking import api

KEYS = {"KEY": 'sk-f81d\\4fae "hush"', "TOOL": "tool-hush-1", "OWN": "own-hush-2", "HEAD": "head-hush-3"}
TOML = """
models.fast = { url = "http://127.0.0.1:1", model = "x", key_env = "KEY" }
tools.files = { command = ["files"], env = ["TOOL"] }
effects.own = { command = ["own"], env = ["OWN"] }
http.echo = { hosts = ["127.0.0.1:1"], headers = { authorization = "HEAD" } }
"""


@pytest.fixture(autouse=True)
def _hidden() -> Generator[None]:
    hide(KEYS.values())
    yield
    hide([])


def test_every_variable_that_a_project_names_is_a_secret(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text(TOML)
    assert load(tmp_path, environ={}).config.secret_names() == {*KEYS}


@pytest.mark.parametrize("value", KEYS.values())
def test_a_value_is_hidden_however_it_is_written(value: str) -> None:
    assert redacted(f"it is {value}, yes") == "it is ***, yes"
    assert harmless(f"{value}\n{value}") == "***\\n***"
    body = {"seq": 1, "why": [f"at {value}"]}
    assert msgspec.json.decode(redacted_json(msgspec.json.encode(body))) == {"seq": 1, "why": ["at ***"]}


def test_what_would_hide_too_much_is_not_hidden() -> None:
    hide(["short", "12345678", "1.25e+10", ""])
    assert redacted_json(b'{"seq":12345678,"a":"short"}') == b'{"seq":12345678,"a":"short"}'


def test_it_is_in_no_answer_row_or_trail(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as caxton:
        admin, viewer = caxton.token("root", Role.ADMIN), caxton.token("vera", Role.VIEWER)
        told = []
        for value in ("tool-hush-1", "own-hush-2"):
            caxton.services.bus.event("log", body={"message": f"said {value}"})
            told.append(caxton.ask("GET", f"/api/v1/agents/{value}", admin).raw)
            told.append(caxton.ask("POST", f"/api/v1/agents/{value}/stop", viewer).raw)
            told.append(caxton.ask("POST", "/api/v1/agents", admin, body=value.encode()).raw)
        told.append(caxton.ask("GET", "/api/v1/audit", admin).raw)
        events = caxton.ask("GET", "/api/v1/events?after=0", admin, for_s=1.0).raw
        assert events.count(b"said ***") == 2
        assert b"agents/***/stop" in told[-1]
        assert b"hush" not in b"".join([*told, events])
