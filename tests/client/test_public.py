"""The public client: found by its short name, with everything that its page promises, and loaded when it is used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import caxton
from caxton import AsyncClient, Client
from caxton.client import answers
from caxton.daemon_socket import socket_path
from caxton.errors import CaxtonError, Unreachable
from caxton.schemas.access import IdentityBody

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text("utf-8")
PROMISED = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)


def test_both_have_what_the_page_names() -> None:
    assert len(PROMISED) > 50
    for client in (Client, AsyncClient):
        assert [name for name in PROMISED if not hasattr(client, name)] == []


def test_a_project_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".caxton").mkdir()
    said: set[str] = set()
    for client in (Client.of(), Client.of(tmp_path), Client(socket_path(tmp_path / ".caxton"))):
        with client, pytest.raises(Unreachable) as refused:
            client.status()
        said.add(refused.value.message)
    assert len(said) == 1


def test_a_daemon_of_another_version_is_one_sentence() -> None:
    with pytest.raises(CaxtonError, match="as another version") as refused:
        answers.read(httpx.Response(200, content=b'{"name": "me", "role": "viewer"}'), IdentityBody)
    assert "agents" in refused.value.message
    assert refused.value.hint


def test_what_is_not_there_is_said_as_always() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        _ = caxton.Server


@pytest.mark.system
def test_the_package_alone_loads_no_client() -> None:
    code = "import caxton, sys; assert not any(m.startswith('caxton.') for m in sys.modules); caxton.Client"
    subprocess.run([sys.executable, "-c", code], check=True)
