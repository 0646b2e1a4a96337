"""What the daemon and the compile child say to each other, as JSON."""

from __future__ import annotations

import msgspec

from caxton.sandbox.profiles import Profile


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to compile. With `wat` the file holds text, which is translated first and written to
    `wasm_path`."""

    source: str
    output: str
    """The compiled module goes here, whole or not at all."""
    profile: Profile
    memory_bytes: int
    wat: bool = False
    ours: bool = False
    """A language's runtime that we built ourselves: larger than any agent's component may be."""
    wasm_output: str | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. `compile_ms` is milliseconds of wall time, `size` bytes of the compiled module."""

    ok: bool
    exports: list[str] = []
    sha256: str = ""
    size: int = 0
    compile_ms: float = 0.0
    component: bool = False
    """Whether it is a component; then `output` was compiled for the profile of components."""
    reason: str = ""
    hint: str | None = None
