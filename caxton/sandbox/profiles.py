"""Which WebAssembly features a guest may use, as data: nothing here imports wasmtime.

An inconsistent configuration aborts the process instead of raising, so the settings are constants of this
file and are never made from what a user wrote (DESIGN.md 4, reference: recommended settings).
"""

from __future__ import annotations

import hashlib
import json
import platform
from enum import StrEnum
from functools import cache
from importlib.metadata import version

PINNED = "50.0.1"
"""The version of the wasmtime package whose private functions the fast path knows."""

RESERVATION = 16 * 1024 * 1024
"""Bytes of address space reserved for each memory; up to this size a memory never moves."""

GUARD = 64 * 1024
STACK = 1024 * 1024
"""Bytes of native stack for one guest call; runner threads have sixteen times as much."""


class Profile(StrEnum):
    """`standard` takes what today's compilers emit, `strict` is the architecture document's.

    `component` is for components, which nobody asks for by name: what a module is decides it.
    """

    STANDARD = "standard"
    STRICT = "strict"
    COMPONENT = "component"


OFF = (
    # relaxed SIMD before SIMD: the other order is inconsistent for a moment, and that aborts
    "wasm_relaxed_simd",
    "wasm_simd",
    "wasm_threads",
    "wasm_tail_call",
    "wasm_multi_memory",
    "wasm_memory64",
    "wasm_exceptions",
    "wasm_gc",
    "wasm_function_references",
    "wasm_stack_switching",
    "wasm_component_model",
    "wasm_custom_page_sizes",
    "wasm_wide_arithmetic",
    "gc_support",
    "shared_memory",
    "parallel_compilation",
)
"""Switches of `wasmtime.Config` that are off in both profiles, in the order in which they are set."""

STRICT_OFF = ("wasm_reference_types", "wasm_bulk_memory")
"""Off in `strict` too; asynchronous components, which need reference types, are switched off first."""

COMPONENT_ON = ("wasm_component_model", "parallel_compilation")
"""Not off in `component`: a Python runtime compiles twice as fast on two processors, under limits of its own."""

VALUES: dict[str, bool | int | str] = {
    "consume_fuel": True,
    "epoch_interruption": True,
    # the same message gives the same answer on every machine, NaN included: replays depend on it
    "cranelift_nan_canonicalization": True,
    "strategy": "cranelift",
    "max_wasm_stack": STACK,
    "memory_reservation": RESERVATION,
    "memory_guard_size": GUARD,
    "memory_reservation_for_growth": 0,
    "memory_may_move": True,
}
"""The other settings of the profiles."""

COMPONENT_VALUES: dict[str, bool | int | str] = {**VALUES, "memory_reservation": 64 * 1024 * 1024}
"""A language's runtime begins with what others may have at most; in its place it is shared until it is written to."""


def switched_off(profile: Profile) -> tuple[str, ...]:
    """The switches that are off, in the order in which they are set."""
    match profile:
        case Profile.STANDARD:
            return OFF
        case Profile.STRICT:
            return OFF + STRICT_OFF
        case Profile.COMPONENT:
            return tuple(name for name in OFF if name not in COMPONENT_ON)


def values(profile: Profile) -> dict[str, bool | int | str]:
    """The other settings."""
    return COMPONENT_VALUES if profile is Profile.COMPONENT else VALUES


@cache
def fingerprint(profile: Profile) -> str:
    """What a compiled module depends on besides its bytes: package, machine, profile and settings.

    Letters, digits, dots and hyphens only, so that it can be part of a file name.
    """
    settings = [switched_off(profile), sorted(values(profile).items())]
    digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]
    place = f"{platform.system()}-{platform.machine()}".lower().replace("_", "-")
    return f"wasmtime-{version('wasmtime')}-{place}-{profile.value}-{digest}"
