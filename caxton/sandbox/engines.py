"""The wasmtime engines, one for each profile and process, and the version inside the native library."""

# The one private function that is used here switches off what `strict` needs off and no public setting
# reaches. pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import math
import mmap
import re
import threading
from typing import Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from caxton.limits import Limits
from caxton.sandbox.profiles import Profile, switched_off, values

TICK_S = 0.01
"""The epoch moves on this often, in seconds; a wall limit is kept to one tick and a little."""

_engines: dict[Profile, wasmtime.Engine] = {}
_making: Final = threading.Lock()


def engine(profile: Profile) -> wasmtime.Engine:
    """The engine of that profile; made on first use and kept as long as the process."""
    made = _engines.get(profile)
    if made is None:
        # two threads that load at once must not make two: code of one in a store of the other ends the process
        with _making:
            made = _engines.get(profile)
            if made is None:
                made = _engines[profile] = _make(profile)
    return made


def tick(times: int) -> None:
    """Move the epoch of every engine on; calls that are past their deadline then end."""
    for made in list(_engines.values()):
        for _ in range(times):
            made.increment_epoch()


def ticks(limits: Limits) -> int:
    """A wall limit as epoch ticks: never short of the limit, at most two ticks past it."""
    return math.ceil(limits.wall_ms / 1000 / TICK_S) + 1


def native_version() -> str:
    """The version of wasmtime inside the native library, which may differ from the package's; or
    "unknown"."""
    name: Any = getattr(ffi.dll, "_name", None)
    if not isinstance(name, str):
        return "unknown"
    with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as library:
        found = re.search(rb"version: (\d+\.\d+\.\d+)\n", library)
        return found.group(1).decode() if found else "unknown"


def _make(profile: Profile) -> wasmtime.Engine:
    config: Any = wasmtime.Config()
    for name, value in values(profile).items():
        setattr(config, name, value)
    if profile is Profile.STRICT:
        # asynchronous components need reference types, which are switched off below
        ffi.wasmtime_config_wasm_component_model_async_set(config.ptr(), False)
    for name in switched_off(profile):
        setattr(config, name, False)
    return wasmtime.Engine(config)
