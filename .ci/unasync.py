"""The blocking client, made from the one for asyncio as httpcore makes its own.

In: `caxton/client/async_client.py`. Out: `caxton/client/blocking_client.py`; with `--check` nothing is written, and the
exit code is 1 where the file is not what would be written.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "caxton" / "client" / "async_client.py"
TARGET = ROOT / "caxton" / "client" / "blocking_client.py"

HEAD = '''"""The client for programs that wait for each answer, over the project's Unix socket.

Generated from `async_client.py` by `.ci/unasync.py`: change that file and run `just generate`.
"""
'''

CHANGES = [
    (r"\A\"\"\".*?\"\"\"\n", HEAD),
    (r"from asyncio import sleep\n", ""),
    (r"from time import monotonic", "from time import monotonic, sleep"),
    (
        r"Talks to one daemon, several requests at once if need be",
        "Talks to one daemon, one request after the other",
    ),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bAsyncHTTPTransport\b", "HTTPTransport"),
    (r"\bAsyncClient\b", "Client"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_raw)\b", r"\1"),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"for event in reader\.feed\(chunk\):\n *yield event", "yield from reader.feed(chunk)"),
]
"""Patterns and what stands in their place, one after the other."""


def generated() -> str:
    """The blocking client as it should be."""
    text = SOURCE.read_text("utf-8")
    for pattern, new in CHANGES:
        text = re.sub(pattern, new.replace("\\", "\\\\") if new is HEAD else new, text, flags=re.DOTALL)
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        words = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(TARGET), "-"]
        text = subprocess.run(words, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def main(check: bool) -> int:
    """Write the file, or only look whether it is what it should be; returns the exit code."""
    text = generated()
    if not check:
        TARGET.write_text(text, "utf-8")
    elif TARGET.read_text("utf-8") != text:
        sys.stderr.write("caxton/client/blocking_client.py is not up to date\nhint: run `just generate`\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
