"""Daemons elsewhere: which one is meant, and what is said where it cannot be talked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.cli import connection
from caxton.client import Client, Remote, contexts
from caxton.client.contexts import Context
from caxton.errors import ConfigurationError, Unreachable

HERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CAXTON_URL", "CAXTON_TOKEN_FILE", "CAXTON_CA_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("caxton.example:8443", "no URL"),
        ("ftp://caxton.example", "no URL"),
        ("https://", "no URL"),
        ("https://caxton.example:port", "no URL"),
        ("https://me:pass@caxton.example", "no URL"),
        ("https://caxton.example/api", "more than a host"),
        ("http://caxton.example:8080", "in the clear"),
    ],
)
def test_what_is_no_daemon_elsewhere(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Remote(url)


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "me.token"
    with pytest.raises(ConfigurationError, match=r"me\.token cannot be read"):
        Remote(HERE, file).headers()
    file.write_text("\n")
    with pytest.raises(ConfigurationError, match="no token"):
        Remote(HERE, file).headers()
    file.write_text("cxt_1\n")
    assert Remote(HERE, file).headers() == {"Authorization": "Bearer cxt_1"}


def test_which_daemon_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "caxton.toml").touch()
    monkeypatch.chdir(project)
    socket = project / ".caxton" / "daemon.sock"
    place = contexts.place()
    assert connection.place(None) == socket
    contexts.write(place, contexts.read(place).with_one(Context("prod", "https://caxton.example:8443", "/t")))
    assert connection.place(None) == socket
    contexts.write(place, contexts.read(place).using("prod"))
    assert connection.place(None) == Remote("https://caxton.example:8443", Path("/t"))
    # a project that is named goes first, then CAXTON_URL
    assert connection.place(project) == socket
    monkeypatch.setenv("CAXTON_URL", HERE)
    monkeypatch.setenv("CAXTON_TOKEN_FILE", "me.token")
    assert connection.place(None) == Remote(HERE, Path("me.token"))
    whole = Remote(HERE, *(tmp_path / name for name in ("token", "ca", "mine.pem", "mine.key")))
    assert contexts.in_use(whole.environ()) == whole
    monkeypatch.delenv("CAXTON_URL")
    contexts.write(place, contexts.read(place).using("local"))
    assert connection.place(None) == socket
    contexts.write(place, contexts.read(place).using("prod").without("prod"))
    assert contexts.read(place) == contexts.Contexts()
    for name in ("local", "a b", ""):
        with pytest.raises(ConfigurationError, match="cannot be the name"):
            contexts.read(place).with_one(Context(name, HERE))
    with pytest.raises(ConfigurationError, match="no context 'prod'"):
        contexts.read(place).using("prod")
    place.write_text("{")
    with pytest.raises(ConfigurationError, match="damaged"):
        contexts.read(place)


def test_who_does_not_answer_is_named_with_a_remedy() -> None:
    with Client.at(HERE) as client, pytest.raises(Unreachable, match=HERE) as refused:
        client.status()
    assert refused.value.hint is not None
    assert "listen.tcp" in refused.value.hint
