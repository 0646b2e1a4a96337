"""The Python runtime of this machine: what it is called, where it is, and agents packed for it.

It is one component, built once for every user (`python_build`) from our part of it (`runtime/`) and from
componentize-py, which brings CPython (extra `python`). It is named by the sha256 of what it is built from, so a new
version of Caxton builds a new one beside the old. It lies in the user's cache, not in a project, because it is large
and the same for all of them. Nothing here imports wasmtime, or anything else that takes long: each save passes through
here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

from caxton.install_hint import install_hint
from caxton.sandbox import cache_labels
from caxton.sandbox.compile.module_cache import ModuleCache
from caxton.sandbox.compile.python_imports import texts
from caxton.sandbox.compile.python_source import pack
from caxton.sandbox.profiles import Profile, fingerprint
from caxton.sandbox.python.requirements import packages_of

BUILDER: Final = "componentize-py"
BUILDER_VERSION: Final = "0.25.1"
"""Exact: what it brings of CPython is part of what an agent is."""
BUILD: Final = "caxton python build"
PARTS: Final = Path(__file__).parent / "guest"
"""Our part of the runtime, and the interface that it has."""
SHIPPED: Final = Path(__file__).parent / "built"
"""The runtime in a wheel (`just release`); a checkout has none."""


def how_to_install() -> str:
    """What brings the builder into this environment, and what then."""
    return f"{install_hint('python')}, then: {BUILD}"


def packed(file: Path, source: bytes) -> bytes:
    """The module of a Python agent's source, with what it imports of its own, for this version's runtime.

    InvalidModule where it is no source.
    """
    return pack(source, file.name, runtime_name(), texts(source, folders_of(file)))


def folders_of(file: Path) -> list[Path]:
    """Where an agent's own modules are: beside its source, and where `[python]` of its project says.

    InvalidModule where one of these is not there.
    """
    packages = packages_of(file)
    return [file.resolve().parent, *(packages.folders() if packages is not None else ())]


def runtime_name() -> str:
    """The runtime that this version of Caxton builds and packs agents for: 64 hex digits."""
    digest = hashlib.sha256(f"{BUILDER} {BUILDER_VERSION}".encode())
    for file in sorted(PARTS.iterdir()):
        if file.suffix in (".py", ".wit"):
            digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


class RuntimeFolder:
    """The runtimes in one folder; the user's cache where none is named. Methods block on the disk."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or platformdirs.user_cache_path("caxton") / "python"

    @property
    def cache(self) -> Path:
        """Where compiled runtimes are, with their seals."""
        return self.folder / "compiled"

    def component(self, name: str) -> Path:
        """Where the component of that name is, once it is built: in the folder, else in what was installed."""
        shipped = SHIPPED / f"{name}.wasm"
        built = self.folder / f"{name}.wasm"
        return shipped if shipped.is_file() and not built.is_file() else built

    def label(self, name: str) -> Path:
        """Which compiled form is that runtime's, for this version of wasmtime."""
        return self.folder / f"{name}-{fingerprint(Profile.COMPONENT)}.label"

    def is_built(self) -> bool:
        """Whether this version's runtime is there; its compiled form is made from it where it is not."""
        return self.component(runtime_name()).is_file()

    def there(self, name: str) -> Path | None:
        """The compiled runtime where it is there; that is enough for somebody who ends after one look."""
        try:
            label = cache_labels.read(self.label(name))
        except (OSError, msgspec.MsgspecError):
            return None
        path = Path(label.component) if label is not None else None
        return path if path is not None and path.parent == self.cache and path.is_file() else None

    def whole(self, name: str) -> Path | None:
        """The compiled runtime where it is there and as we left it, which takes a tenth of a second to find out."""
        path = self.there(name)
        return path if path is not None and ModuleCache(self.cache).fits(path) else None
