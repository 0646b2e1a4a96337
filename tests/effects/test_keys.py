"""Keys: they are in the processes that need them and nowhere else, also where the other side sends them back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agents.systems import ask, commit, home

from .provider import Reply, provider

KEY = "sk-f81d4fae-nobody-may-see-this"
MARK = "what-may-be-seen"
OWN = """
import json, os, sys

for line in sys.stdin:
    key, asked = os.environ["KEY"], json.loads(line)
    print(key, flush=True)
    print(key, file=sys.stderr, flush=True)
    print(json.dumps({"id": asked["id"], "inform": {"key": key, "mark": "MARK"}}), flush=True)
"""
TOML = """
[models.fast]
url = "{url}"
model = "x-1"
key_env = "KEY"

[models.deep]
url = "{url}"
model = "x-1"
wire = "anthropic"
key_env = "KEY"

[http.echo]
hosts = ["127.0.0.1:{port}"]
private = ["127.0.0.1"]
headers = {{authorization = "KEY"}}

[effects.own]
command = ["{python}", "own.py"]
env = ["KEY"]
"""


@pytest.mark.timeout(60)
async def test_a_key_is_in_no_file_row_log_error_or_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY", KEY)
    echo = f"{MARK}: Bearer {KEY} is wrong, {KEY!r}"
    bad = [Reply(echo, status=401), Reply(echo), Reply(raw=echo.encode()), Reply(echo, cut=1)]
    (tmp_path / "own.py").write_text(OWN.replace("MARK", MARK))
    async with provider(*bad, *bad, Reply(raw=echo.encode())) as at:
        port = at.url.split(":")[2].split("/")[0]
        toml = TOML.format(url=at.url, port=port, python=sys.executable)
        told: list[Any] = []
        async with home(tmp_path, toml) as runtime:
            for name in ("fast", "deep"):
                for _ in bad:
                    request = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
                    told.append(await ask(runtime, "model", request))
            told.append(await ask(runtime, "http.echo", {"url": f"http://127.0.0.1:{port}/v1/x"}))
            told.append(await ask(runtime, "own", {}))
            await commit(runtime)
            told += [msgspec.to_builtins(one) for one in runtime.effects.views()]
            told += [(one.key, one.value) for one in runtime.project.effective()]
    # it went out, and came back
    sent = [headers.get("authorization", headers.get("x-api-key", "")) for _, headers, _ in at.requests]
    assert len(sent) == 9
    assert all(KEY in one for one in sent)
    answered = json.dumps(told, default=str)
    assert answered.count(MARK) >= 5
    files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(MARK.encode() in content for file, content in files.items() if "journal" in file.name)
    printed = capfd.readouterr()
    for place, text in {"answers": answered, "out": printed.out, "err": printed.err}.items():
        assert KEY not in text, place
    assert not [file for file, content in files.items() if KEY.encode() in content]
