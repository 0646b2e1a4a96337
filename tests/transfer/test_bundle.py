"""A bundle says the same every time; anything else is refused in one sentence, whatever it says of itself."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from caxton.errors import BundleError
from caxton.limits import Limits
from caxton.platform_agents.timer_rows import TimerRow
from caxton.transfer import Bundle, Manifest, read_bundle, write_bundle

MODULE, MEMORY = b"\0asm module", b"what it remembers"
Json = dict[str, Any]


def bundle(**changes: Any) -> Bundle:
    has: Json = {
        "name": "it",
        "platform": "local",
        "caxton": "0.1.0",
        "exported_us": 1_700_000_000_000_000,
        "moment": 7,
        "revision": sha256(MODULE).hexdigest(),
        "module_bytes": len(MODULE),
        "memory_bytes": len(MEMORY),
        "profile": "standard",
        "recover": "replay",
        "limits": Limits(),
        "settings": msgspec.Raw(b'{"price":1.10}'),
        "may": [],
        "maker": None,
        "ownership": None,
        "services": msgspec.Raw(b"null"),
        "timers": [TimerRow(5, "it@local", "c", ["it@local"], "a" * 32, 1, 2, 1, msgspec.Raw(b'"tag"'))],
        "subscriptions": [],
        "lost": [],
    }
    return Bundle(Manifest(**{**has, **changes}), MODULE, MEMORY)


GOOD = write_bundle(bundle())


def sealed(manifest: bytes, rest: bytes = MODULE + MEMORY, version: int = 1) -> bytes:
    """Those parts with a checksum that is theirs."""
    body = struct.pack(">8sII", b"CAXAGENT", version, len(manifest)) + manifest + rest
    return body + sha256(body).digest()


def edited(change: Callable[[Json], object]) -> bytes:
    """The manifest with a change, sealed again."""
    manifest = json.loads(GOOD[16 : GOOD.index(MODULE)])
    change(manifest)
    return sealed(json.dumps(manifest, separators=(",", ":")).encode())


def test_what_is_written_is_read_as_it_was() -> None:
    found = read_bundle(GOOD)
    assert (found.module, found.memory) == (MODULE, MEMORY)
    assert str(found.settings["price"]) == "1.10"
    assert found.manifest.timers == bundle().manifest.timers
    assert write_bundle(found) == GOOD
    nothing = Bundle(bundle(memory_bytes=None).manifest, MODULE, None)
    assert read_bundle(write_bundle(nothing)).memory is None


HOSTILE = {
    "nothing": (b"", "no bundle"),
    "another file": (b"PK\3\4" + bytes(100), "no bundle"),
    "half of one": (GOOD[: len(GOOD) // 2], "checksum"),
    "a later format": (sealed(b"{}", version=2), "has format 2"),
    "no format": (sealed(b"{}", version=0), "checksum"),
    "a long manifest": (
        (lambda body: body + sha256(body).digest())(struct.pack(">8sII", b"CAXAGENT", 1, 1 << 31) + b"{}"),
        "manifest is longer",
    ),
    "no manifest": (sealed(b""), "cannot be read"),
    "no json": (sealed(b"{"), "cannot be read"),
    "deep json": (sealed(b'{"settings":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "cannot be read"),
    "no text": (sealed(b'{"name":"\xff"}'), "cannot be read"),
    "a key too many": (edited(lambda one: one.update(more=1)), "cannot be read"),
    "a key of a timer too many": (edited(lambda one: one["timers"][0].update(more=1)), "not spelled"),
    "a key twice": (sealed(GOOD[16 : GOOD.index(MODULE)].replace(b"{", b'{"name":"x",', 1)), "not spelled"),
    "a key too few": (edited(lambda one: one.pop("limits")), "cannot be read"),
    "another type": (edited(lambda one: one.update(moment="7")), "cannot be read"),
    "another profile": (edited(lambda one: one.update(profile="mine")), "cannot be read"),
    "settings that are none": (edited(lambda one: one.update(settings=[])), "settings are no object"),
    "a limit without a bound": (
        edited(lambda one: one["limits"].update(memory_bytes=1 << 50)),
        "limits.memory_bytes is not from",
    ),
    "another module": (
        edited(lambda one: one.update(revision="0" * 64)),
        "its module is not that of revision",
    ),
    "a module that ends in its memory": (edited(lambda one: one.update(module_bytes=20)), "not as long"),
    "less than nothing": (edited(lambda one: one.update(module_bytes=-5, memory_bytes=33)), "not as long"),
    "more than it says": (sealed(GOOD[16 : GOOD.index(MODULE)], MODULE + MEMORY + b"x"), "not as long"),
}


@pytest.mark.parametrize(("data", "why"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_sound_bundle_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why) as refused:
        read_bundle(data)
    assert refused.value.hint
    assert "\n" not in refused.value.message


def test_a_byte_that_changed_is_always_seen() -> None:
    pick = random.Random(1)
    for _ in range(500):
        data = bytearray(GOOD)
        data[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
        with pytest.raises(BundleError):
            read_bundle(bytes(data))
