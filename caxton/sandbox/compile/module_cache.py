"""The folder of compiled modules on disk, which nobody but us may have written.

A compiled module is native code, so a file is used only where its keyed hash fits; the key is a file of the
folder that only we can read. A file that does not fit is thrown away and made again. The modules themselves
are kept beside, by their sha256, so that a revision's bytes can be had again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from caxton.disk import MovableFolder, sync_folder, translated
from caxton.errors import InvalidModule, SecurityError
from caxton.sandbox.profiles import Profile, fingerprint

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModuleCache:
    """The files of one cache folder. Every method blocks on the disk."""

    def __init__(self, folder: Path) -> None:
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o022:
            raise SecurityError(
                f"the cache folder {folder} is not a folder of ours, or others may write to it",
                hint=f"it holds native code: remove it, or chown it to yourself and chmod 700 {folder}",
            )
        self._place = MovableFolder(folder)
        with translated(folder):
            self._key = _key(self.folder / "key")

    @property
    def folder(self) -> Path:
        """Where it is, also after the project was moved."""
        return self._place.path

    def compiled(self, sha256: str, profile: Profile) -> Path:
        """Where the compiled module of those bytes belongs."""
        return self.folder / f"{_checked(sha256)}-{fingerprint(profile)}.cwasm"

    def wasm(self, sha256: str) -> Path:
        """Where the module's own bytes belong."""
        return self.folder / f"{_checked(sha256)}.wasm"

    def fits(self, compiled: Path) -> bool:
        """Whether the file is there and is what `seal` saw; a file that is not is removed with its seal."""
        try:
            content = _read(compiled)
            sealed = _read(_seal(compiled))
        except OSError:
            content = sealed = b""
        if content and hmac.compare_digest(self._mac(compiled, content), sealed):
            return True
        self.drop(compiled)
        return False

    def seal(self, compiled: Path) -> None:
        """Vouch for a file that our own compile child has just written."""
        write_whole(_seal(compiled), self._mac(compiled, _read(compiled)))

    def drop(self, compiled: Path) -> None:
        """Remove a compiled module and its seal."""
        compiled.unlink(missing_ok=True)
        _seal(compiled).unlink(missing_ok=True)

    def bytes_of(self, sha256: str) -> bytes:
        """The module with that sha256; raises `InvalidModule` where it is gone or was changed."""
        try:
            content = _read(self.wasm(sha256))
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InvalidModule(
                f"the module {sha256[:12]} is not in the cache any more", hint="deploy it again"
            )
        return content

    def _mac(self, compiled: Path, content: bytes) -> bytes:
        mac = hashlib.blake2b(content, key=self._key, person=b"caxton-cwasm", digest_size=32)
        # the name is part of it: a good file under another module's name is not good
        mac.update(compiled.name.encode())
        return mac.hexdigest().encode()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 so that it is there whole or not at all, even after a power cut."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _checked(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise InvalidModule("a revision is named by the 64 hex digits of its sha256")
    return sha256


def _seal(compiled: Path) -> Path:
    return compiled.with_suffix(".seal")


def _read(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _key(path: Path) -> bytes:
    try:
        key = _read(path)
    except FileNotFoundError:
        # link, not replace: of two daemons that begin at once both must use the same key
        draft = path.with_name(f"key.{secrets.token_hex(8)}")
        write_whole(draft, secrets.token_bytes(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        draft.unlink()
        key = _read(path)
    state = path.lstat()
    if len(key) != 32 or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise SecurityError(
            f"the key of the cache, {path}, is not as we left it",
            hint="remove the cache folder; everything in it is made again",
        )
    return key
