"""Power loss, as far as it shows without pulling the plug: rows are synced before their acknowledgement leaves."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from caxton.config import load
from caxton.journal.store import FileStore
from caxton.runtime import open_runtime

from .running import Daemon

pytestmark = pytest.mark.crash

MESSAGES = 40
CALLS = "pwrite64,pwritev,fdatasync,fsync,write,writev,sendmsg,sendto"
ANSWER = re.compile(r'\\"seq\\":\d+,\\"conversation_id\\":\\"power-(\d+)\\"')
LINE = re.compile(r"^(\d+)\s+(<\.\.\. )?(\w+)")


@pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: power loss is NOT tested"
)
def test_no_acknowledgement_leaves_before_its_rows_are_synced(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    daemon = Daemon(tmp_path / "p", 'cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n')
    tracer = ["strace", "-f", "--seccomp-bpf", "-y", "-s", "8192", "-e", f"trace={CALLS}", "-o", str(trace)]
    try:
        daemon.start(tracer)
    except AssertionError as failure:
        if "ptrace" in str(failure).lower():
            pytest.skip("strace may not trace here: power loss is NOT tested")
        raise
    with daemon.client() as caxton:
        for number in range(MESSAGES):
            caxton.send(
                {
                    "receiver": ["echo", "operator.ann"],
                    "performative": "request",
                    "conversation_id": f"power-{number}",
                },
                wait_s=10 if number % 2 else None,
            )
        caxton.stop_daemon()
    assert daemon.wait() == 0

    acknowledged = list(violations(trace))
    assert [number for number, _ in acknowledged] == list(range(MESSAGES))
    assert [number for number, synced in acknowledged if not synced] == []


def violations(trace: Path) -> list[tuple[int, bool]]:
    """Each acknowledgement in the trace, and whether a sync of the log ended between its row's write and itself."""
    written: set[int] = set()
    synced: set[int] = set()
    syncing: dict[str, set[int]] = {}
    found: list[tuple[int, bool]] = []
    for line in trace.read_text("ascii", "replace").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        thread, resumed, call = match.groups()
        if call.startswith("pwrite") and "journal.db-wal>" in line[:300]:
            written |= {
                int(number) for number in re.findall(r'\\"conversation_id\\":\\"power-(\d+)\\"', line)
            }
        elif call in ("fdatasync", "fsync"):
            if "journal.db-wal>" in line:
                # it takes with it what was written before it began
                syncing[thread] = set(written)
            if thread in syncing and "unfinished" not in line and line.endswith("= 0"):
                synced |= syncing.pop(thread)
        elif not resumed:
            for number in ANSWER.findall(line):
                assert int(number) in written, "the trace does not show the row"
                found.append((int(number), int(number) in synced))
    return found


async def test_the_connection_that_writes_is_set_to_wait_for_the_disk(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    async with open_runtime(load(tmp_path)) as runtime:
        store = runtime.journal._store
        assert isinstance(store, FileStore)
        connection = store._writer._db
        assert connection.execute("pragma synchronous").fetchone() == (2,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
