"""Copies of example agents with a fault that only some orders show.

    python tests/scenario/planted/build.py

In: the examples' sources, what is written otherwise in each. Out: a module beside this file for each fault.
"""

from __future__ import annotations

import runpy
import shutil
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
EXAMPLES: Final = HERE.parents[2] / "agents-examples"

FAULTS: Final[dict[str, tuple[str, list[tuple[str, str]]]]] = {
    # answers the second cfp with the first price, while the first offer is open
    "seller": (
        "market/seller.c",
        [
            (
                "    caxton_int64 key = key_of(message);\n    take(key);",
                "    for (int i = 0; i < OFFERS; i++)\n"
                "        if (offers[i].key) asked = price = offers[i].price;\n"
                "    caxton_int64 key = key_of(message);\n    take(key);",
            )
        ],
    ),
    # counts a proposal that comes after it has decided; it says no reply_by, so nobody else turns that down
    "buyer": (
        "market/buyer.c",
        [
            ("    reply_within_wait();\n    about(\",'round':\")", "    about(\",'round':\")"),
            (
                '            answer("reject-proposal", "late");',
                '            bought++, answer("reject-proposal", "late");',
            ),
        ],
    ),
    # takes what it is told first for the value that it knows already
    "subscriber": (
        "subscription/subscriber.c",
        [("    heard++;\n    keep(&last,", "    if (heard++ == 0) return;\n    keep(&last,")],
    ),
}


def build(name: str) -> bytes:
    """The module with that fault."""
    compiled = runpy.run_path(str(EXAMPLES / "build.py"))["build"]
    source, changes = FAULTS[name]
    text = (EXAMPLES / source).read_text("utf-8")
    for right, wrong in changes:
        assert text.count(right) == 1, f"{source} has changed: {right}"
        text = text.replace(right, wrong)
    with tempfile.TemporaryDirectory(dir=EXAMPLES) as folder:
        shutil.copy(EXAMPLES / source, folder)
        changed = Path(folder, Path(source).name)
        changed.write_text(text, "utf-8")
        return bytes(compiled(changed))


if __name__ == "__main__":
    for name in FAULTS:
        (HERE / f"{name}.wasm").write_bytes(build(name))
