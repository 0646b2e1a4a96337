"""WAT to wasm, as a builder: `python -m caxton.sandbox.compile.wat FILE OUTPUT`.

In: a file of text. Out: a module, exit code 0; or the error as compilers write it (`file:line:column: error: …`) and
exit code 1. It runs as a child of whoever builds, never in the daemon.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import wasmtime


def main(arguments: list[str]) -> int:
    """Translate one file; the exit code."""
    source, output = Path(arguments[0]), Path(arguments[1])
    try:
        text = source.read_text("utf-8-sig")
    except OSError as error:
        return _fail(f"{source}: error: {error.strerror}")
    except UnicodeDecodeError:
        return _fail(f"{source}:1:1: error: the file is not UTF-8 text")
    try:
        output.write_bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        return _fail(_complaint(source, str(error)))
    return 0


def _complaint(source: Path, said: str) -> str:
    """wasmtime's complaint with the place first: it says the message, then ` --> <anon>:line:column`."""
    message, _, rest = said.partition("\n")
    place = re.search(r"--> <anon>:(\d+):(\d+)", rest)
    where = f"{source}:{place[1]}:{place[2]}" if place else str(source)
    return f"{where}: error: {message}\n{rest}"


def _fail(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
