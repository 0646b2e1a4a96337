"""A daemon that exports to rotel, a collector of somebody else's: what arrives is compared with the journal, span by
span, over a `kill -9` and with the collector away in between."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from caxton.telemetry.export_status import read_status
from caxton.telemetry.spans import turn_span_id

from .running import Daemon, running

ROTEL = Path(spec.origin).parent / "rotel-agent" if (spec := find_spec("rotel")) and spec.origin else None
pytestmark = [pytest.mark.system, pytest.mark.skipif(ROTEL is None, reason="rotel is not installed")]

CONFIGURATION = """
name = "market"
cells = 1

[telemetry]
exporter = "otlp"
endpoint = "http://127.0.0.1:{port}"

[agents.echo]
wasm = "echo.wasm"

[agents.other]
wasm = "echo.wasm"
"""
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SPAN = re.compile(
    r"Trace ID\s*: (?P<trace>\w+).*?Parent ID\s*: (?P<parent>\w*)\s.*?ID\s*: (?P<span>\w+)\s"
    r".*?Name\s*: (?P<name>[^\n]+)",
    re.DOTALL,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def rotel(port: int, log: Path, *, seen: str = "traces") -> Generator[subprocess.Popen[bytes]]:
    """A collector that prints what it takes."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [
                str(ROTEL),
                "start",
                *("--otlp-http-endpoint", f"127.0.0.1:{port}"),
                *("--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"),
                *("--exporter", "blackhole", "--debug-log", seen, "--debug-log-verbosity", "detailed"),
            ],
            stdout=out,
            stderr=out,
            cwd=log.parent,
        )
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_until(met: Any, within_s: float = 30.0) -> None:
    pause, until = threading.Event(), time.monotonic() + within_s
    while not met():
        assert time.monotonic() < until
        pause.wait(0.02)


def exported(daemon: Daemon, last: int) -> bool:
    status = read_status(daemon.state, "traces")
    return status is not None and status.place.cursor >= last and not status.place.late


def journal_spans(daemon: Daemon) -> dict[str, tuple[str, str, str]]:
    """What the journal says: by span id the trace, the parent and the name."""
    with closing(sqlite3.connect(daemon.state / "journal.db")) as db:
        said = {
            seq: (cause, json.loads(body))
            for seq, cause, body in db.execute("select seq, cause, body from message")
        }
        turns = db.execute(
            "select t.id >> 20, a.name from turn t join agent a on a.no = t.id & 1048575"
        ).fetchall()
    wanted: dict[str, tuple[str, str, str]] = {}
    for cause, body in said.values():
        parent = body.get("x_traceparent", "")[36:52]
        if cause:
            spoke = (cause, body["sender"]) in turns
            parent = (
                turn_span_id(body["trace_id"], cause, body["sender"]) if spoke else said[cause][1]["span_id"]
            )
        wanted[body["span_id"]] = (body["trace_id"], parent, f"send {body['receiver'][0]}")
    for seq, agent in turns:
        body = said[seq][1]
        id = turn_span_id(body["trace_id"], seq, agent)
        wanted[id] = (body["trace_id"], body["span_id"], f"process {agent}")
    return wanted


def test_what_a_foreign_collector_takes_is_what_the_journal_holds(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "rotel.txt"
    with running(tmp_path / "market", CONFIGURATION.format(port=port)) as daemon:

        def send(many: int) -> int:
            with daemon.client() as client:
                for number in range(many):
                    client.send(
                        {
                            "performative": "request",
                            "receiver": "echo",
                            "reply_to": ["other"],
                            "content": number,
                        },
                        traceparent=TRACEPARENT,
                    )
                return client.status().journal.committed_seq

        with rotel(port, log):
            last = send(5)
            wait_until(lambda: exported(daemon, last))
            with daemon.client() as client:
                text = client.metrics()
            accepted = int(re.findall(r'spans_total\{result="accepted"\} (\d+)', text)[0])
            assert accepted > 20
        # it is away now: nothing waits for it, and its spans wait in the journal
        send(3)
        daemon.kill()
        with rotel(port, log):
            daemon.start()
            last = send(1)
            wait_until(lambda: exported(daemon, last))
            assert daemon.stop() == 0
        wanted = journal_spans(daemon)
        # rotel ends with its log whole
        found = {
            one["span"]: (one["trace"], one["parent"], one["name"])
            for one in map(re.Match.groupdict, SPAN.finditer(log.read_text()))
            if one["name"].startswith(("send ", "process "))
        }
    assert found == wanted
    assert len(wanted) > 30
    assert {"4bf92f3577b34da6a3ce929d0e0e4736"} == {trace for trace, parent, _ in wanted.values() if parent}
