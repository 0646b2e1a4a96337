"""The command that adds what is missing to the environment that Caxton runs in, as this environment was made.

In: an extra of Caxton's (`build`, `python`). Out: one command that can be typed. A virtual environment may have no pip,
may be uv's or pipx's, and a system's Python may refuse to be changed: a command for another one helps nobody.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "caxton-workbench"


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of an interpreter, as far as it matters for what is installed into it."""

    python: Path
    prefix: Path
    base_python: Path | None = None
    """The interpreter that a virtual environment was made from, where that has pip."""
    has_pip: bool = False
    has_uv: bool = False
    """Whether uv can be called."""
    managed: bool = False
    """Whether the system's package manager keeps it (PEP 668)."""

    @classmethod
    def here(cls) -> Environment:
        """The one that runs now."""
        prefix, base = Path(sys.prefix), Path(sys.base_prefix)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base_pip = base / "lib" / version / "site-packages" / "pip"
        apart = prefix != base
        return cls(
            Path(sys.executable),
            prefix,
            base / "bin" / "python3" if apart and base_pip.is_dir() else None,
            find_spec("pip") is not None,
            shutil.which("uv") is not None,
            not apart and (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").is_file(),
        )

    def install(self, *packages: str) -> str:
        """The command that installs these."""
        what = " ".join(map(shlex.quote, packages))
        python = _short(self.python)
        if (self.prefix / "pipx_metadata.json").is_file():
            return f"pipx inject {DISTRIBUTION} {what}"
        if "archive-v" in str(self.prefix):
            # what uvx makes is thrown away; it is asked for more each time
            extra = " ".join(f"--with {shlex.quote(one)}" for one in packages)
            return f"uvx --from {DISTRIBUTION} {extra} caxton"
        if self.has_uv and not self.has_pip:
            return f"uv pip install --python {python} {what}"
        if self.has_pip:
            managed = " --break-system-packages" if self.managed else ""
            return f"{python} -m pip install{managed} {what}"
        base = "python3" if self.base_python is None else _short(self.base_python)
        return f"{base} -m pip --python {python} install {what}"


def install_hint(extra: str) -> str:
    """The command that adds what that extra of Caxton's names."""
    return Environment.here().install(*_of(extra))


def _of(extra: str) -> list[str]:
    """The packages of an extra, for Caxton itself may be a checkout that no index knows."""
    try:
        named = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        named = []
    found = [one.partition(";") for one in named]
    mark = f"extra == '{extra}'"
    packages = [name.strip() for name, _, when in found if mark in when.replace('"', "'")]
    return packages or [f"{DISTRIBUTION}[{extra}]"]


def _short(path: Path) -> str:
    """The path as one types it here."""
    here = Path.cwd()
    return shlex.quote(os.path.relpath(path, here) if path.is_relative_to(here) else str(path))
