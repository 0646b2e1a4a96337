"""The first error of every compiler that people use here, found with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.devloop.builders.diagnostics import first_error
from caxton.devloop.events import Diagnostic

CLANG = """In file included from counter.c:6:
./caxton.h:3:2: warning: something [-Wcpp]
counter.c:12:5: error: expected ';' after expression
   12 |     count += add
counter.c:20:1: error: unknown type name 'x'
2 errors generated.
"""
CARGO = """   Compiling broker v0.1.0
warning: unused variable: `x`
 --> src/lib.rs:1:1
error[E0425]: cannot find value `y` in this scope
 --> src/lib.rs:7:13
  |
"""
GO = "# broker\n./main.go:7:2: undefined: x\n"
TSC = "assembly/index.ts(4,9): error TS1005: ';' expected.\n"


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (CLANG, Diagnostic("expected ';' after expression", "a/counter.c", 12, 5)),
        (CARGO, Diagnostic("cannot find value `y` in this scope", "a/src/lib.rs", 7, 13)),
        (GO, Diagnostic("undefined: x", "a/main.go", 7, 2)),
        (TSC, Diagnostic("TS1005: ';' expected.", "a/assembly/index.ts", 4, 9)),
        ("a.c:3:1: fatal error: 'x.h' file not found\n", Diagnostic("'x.h' file not found", "a/a.c", 3, 1)),
        ("\x1b[1mb.zig:1:2: \x1b[31merror: \x1b[0mno\n", Diagnostic("no", "a/b.zig", 1, 2)),
        (
            "wasm-ld: error: x.o: undefined symbol: nope\n",
            Diagnostic("wasm-ld: error: x.o: undefined symbol: nope"),
        ),
        ("make: *** [all] Error 2\nbye\n", Diagnostic("make: *** [all] Error 2")),
        ("first\nlast\n", Diagnostic("last")),
        ("", Diagnostic("the builder failed without any output")),
    ],
)
def test_the_first_error_is_found(tmp_path: Path, output: str, found: Diagnostic) -> None:
    assert first_error(output, tmp_path / "a", tmp_path) == found


def test_a_place_outside_the_project_stays_as_the_compiler_wrote_it(tmp_path: Path) -> None:
    found = first_error("../../else.h:1:2: error: no\n", tmp_path / "a", tmp_path)
    assert found.file == "../../else.h"


def test_a_diagnostic_reads_as_compilers_write_it() -> None:
    assert str(Diagnostic("no", "a.c", 1, 2)) == "a.c:1:2: error: no"
    assert str(Diagnostic("no", "a.c", 1)) == "a.c:1: error: no"
    assert str(Diagnostic("no")) == "no"
