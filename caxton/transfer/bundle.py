"""The bundle: everything that an agent is, as bytes (docs/transfer.md has the format).

    "CAXAGENT" · version, u32 · length of the manifest, u32 · manifest, JSON · module · memory · sha256 of all before

In: an agent's parts, or bytes from anywhere. Out: bytes that say the same every time, or the parts; BundleError for
whatever is not exactly what `write_bundle` would write. Nothing in it is believed for what it says of itself: lengths
are added up, digests computed, limits held against their bounds.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any, Final, Literal, cast

import msgspec

from caxton import exact_numbers
from caxton.errors import BundleError
from caxton.limits import BOUNDS, MIB, Limits
from caxton.platform_agents.timer_rows import TimerRow

MAGIC: Final = b"CAXAGENT"
VERSION: Final = 1
MANIFEST_MAX: Final = 16 * MIB
"""More than an agent's share of everything takes."""
_HEAD: Final = struct.Struct(">8sII")
_DIGEST_BYTES: Final = 32
_encode = msgspec.json.Encoder().encode

Profile = Literal["standard", "strict"]
Recover = Literal["replay", "snapshot", "fresh"]


class CarriedSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent has subscribed to: its `subscribe`, to be said again where it comes to."""

    to: Literal["ams", "df", "topics"]
    content: msgspec.Raw
    conversation_id: str
    reply_to: list[str]
    reply_with: str | None
    protocol: str | None
    language: str | None
    ontology: str | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of an agent but its module and its memory. Times are microseconds since 1970."""

    name: str
    platform: str
    """The part after @ where it ran."""
    caxton: str
    """The version that wrote this."""
    exported_us: int
    moment: int
    """The place of its last turn there."""
    revision: str
    """sha256 of the module."""
    module_bytes: int
    memory_bytes: int | None
    """None: it comes without a memory."""
    profile: Profile
    recover: Recover
    limits: Limits
    settings: msgspec.Raw
    may: list[str]
    """Its rights there."""
    maker: str | None
    """Who had it made there."""
    ownership: str | None
    services: msgspec.Raw
    """What it says of itself in the df, or null."""
    timers: list[TimerRow]
    subscriptions: list[CarriedSubscription]
    lost: list[str]
    """What stayed behind."""


class Bundle(msgspec.Struct, frozen=True):
    """A manifest, the module, and the state as the module's own hook gave it."""

    manifest: Manifest
    module: bytes
    memory: bytes | None

    @property
    def settings(self) -> dict[str, Any]:
        """What `caxton_init` is given."""
        return cast("dict[str, Any]", exact_numbers.decode(self.manifest.settings))


def write_bundle(bundle: Bundle) -> bytes:
    """The bundle as bytes."""
    manifest = _encode(bundle.manifest)
    head = _HEAD.pack(MAGIC, VERSION, len(manifest))
    body = b"".join((head, manifest, bundle.module, bundle.memory or b""))
    return body + sha256(body).digest()


def read_bundle(data: bytes) -> Bundle:
    """The parts of a bundle; BundleError where anything in it is not as it has to be."""
    if len(data) < _HEAD.size + _DIGEST_BYTES or not data.startswith(MAGIC):
        raise BundleError(
            "this is no bundle of an agent", hint="one is made by: caxton agent export NAME FILE"
        )
    _, version, length = _HEAD.unpack_from(data)
    if version > VERSION:
        raise BundleError(
            f"the bundle has format {version}, this Caxton reads up to {VERSION}", hint="use a newer Caxton"
        )
    view = memoryview(data)[:-_DIGEST_BYTES]
    if not version or sha256(view).digest() != data[-_DIGEST_BYTES:]:
        raise _damaged("its checksum is not that of its bytes")
    parts = view[_HEAD.size :]
    if length > min(len(parts), MANIFEST_MAX):
        raise _damaged(f"its manifest is longer than the file, or than {MANIFEST_MAX:,} bytes")
    manifest = _read_manifest(bytes(parts[:length]))
    module_end = length + manifest.module_bytes
    if min(manifest.module_bytes, manifest.memory_bytes or 0) < 0 or len(parts) != module_end + (
        manifest.memory_bytes or 0
    ):
        raise _damaged("its parts are not as long as its manifest says")
    module = bytes(parts[length:module_end])
    if sha256(module).hexdigest() != manifest.revision:
        raise _damaged(f"its module is not that of revision {manifest.revision[:12]!r}")
    memory = None if manifest.memory_bytes is None else bytes(parts[module_end:])
    return Bundle(manifest, module, memory)


def _read_manifest(raw: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
        settings: object = msgspec.json.decode(manifest.settings)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(f"its manifest cannot be read: {error}") from None
    # one spelling only: no key twice, none that this version does not know
    if _encode(manifest) != raw:
        raise _damaged("its manifest is not spelled as an export spells it")
    if type(settings) is not dict:
        raise _damaged("its settings are no object")
    for key, (low, high) in BOUNDS.items():
        if not low <= getattr(manifest.limits, key) <= high:
            raise _damaged(f"limits.{key} is not from {low:,} to {high:,}")
    return manifest


def _damaged(why: str) -> BundleError:
    return BundleError(f"the bundle is damaged: {why}", hint="export the agent again")
