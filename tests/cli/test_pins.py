"""Pins, and a build that waits at the gate, on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from agents.systems import tally

from caxton.cli import daemon_process
from caxton.client import Client
from caxton.daemon_socket import socket_path

from .command import caxton

pytestmark = pytest.mark.system


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "tally.wat").write_bytes(tally())
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.tally]\nwasm = "tally.wat"\n')
    try:
        assert caxton("up", cwd=tmp_path).returncode == 0
        yield tmp_path
        assert caxton("down", cwd=tmp_path).returncode == 0
    finally:
        daemon_process.kill(tmp_path)


def test_pinning_listing_and_a_build_that_waits(project: Path) -> None:
    with Client(socket_path(project / ".caxton"), 30.0) as client:
        ids = [
            client.send({"performative": "request", "receiver": "tally"}, wait_s=10).conversation_id
            for _ in range(2)
        ]
        said = caxton("conv", "pin", ids[0], cwd=project)
        assert (said.returncode, said.stderr) == (0, f"{ids[0]} is pinned\n")
        assert caxton("conv", "pin", ids[0], cwd=project).returncode == 0, "again is no mistake"
        listed = json.loads(caxton("conv", "list", "-o", "json", cwd=project).stdout)
        assert {one["id"]: one["pinned"] for one in listed} == {ids[0]: True, ids[1]: False}
        said = caxton("conv", "list", "--pinned", "--agent", "tally", "-o", "json", cwd=project)
        assert [one["id"] for one in json.loads(said.stdout)] == [ids[0]]

        gate = {"gate": "replay", "gate_s": 30}
        held = client.deploy("tally", tally(step=2), how=gate)
        assert (held.state, held.waits) == ("validating", True)
        assert held.gate.pinned == [ids[0]]
        shown = caxton("deploy", "status", "tally", cwd=project).stdout
        assert f"stopped: an answer changes in pinned {ids[0]}" in shown
        assert "it waits for: caxton deploy promote" in shown
        said = caxton("deploy", "abort", "tally", cwd=project)
        assert "the operator dropped it" in said.stderr
        kept = client.deployment(held.id)
        assert (kept.state, kept.waits, kept.gate.stopped) == ("failed", False, True)
        assert kept.gate.turns[0].at.tzinfo is UTC

        held = client.deploy("tally", tally(step=2), how=gate)
        said = caxton("deploy", "ask-live", "tally", cwd=project)
        assert said.returncode == 0, "it asks nothing, and still answers otherwise"
        assert f"tally waits: an answer changes in pinned {ids[0]}" in said.stderr
        said = caxton("deploy", "promote", "tally", cwd=project)
        assert said.returncode == 0, said.stderr
        assert client.agent("tally").revision == held.revision

        assert caxton("conv", "unpin", ids[0], cwd=project).returncode == 0
        said = caxton("conv", "unpin", ids[0], cwd=project)
        assert said.returncode == 2
        assert f"'{ids[0]}' is not pinned" in said.stderr
        said = caxton("conv", "pin", "nothing", cwd=project)
        assert (said.returncode, "there is no conversation 'nothing'" in said.stderr) == (2, True)
