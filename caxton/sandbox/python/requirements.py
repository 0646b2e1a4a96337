"""Packages that a project's agents in Python import: wheels in pure Python, chosen once and held by their hashes.

In: `[python]` of a project's caxton.toml. Out: a folder below `.caxton/python` with what the wheels hold, and
`python.lock` beside caxton.toml, which says what was chosen; with that file the same comes out on every machine. pip
chooses and unpacks, and runs nothing of a package. A package that has native code has no such wheel, and is refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import platformdirs

from caxton.errors import InvalidModule, ResourceError

CONFIGURATION: Final = "caxton.toml"
LOCK: Final = "python.lock"
INSTALL: Final = "caxton python install"
PIP_S: Final = 600.0

_PURE: Final = (
    *("--only-binary=:all:", "--implementation", "py", "--abi", "none", "--platform", "any"),
    *("--python-version", "3.14", "--disable-pip-version-check", "--quiet", "--no-input"),
)
_NOT_FOUND: Final = re.compile(r"No matching distribution found for ([^\s;]+)")


@dataclass(frozen=True, slots=True)
class Packages:
    """What `[python]` of a project says. The other values are made from it."""

    project: Path
    requirements: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    """Folders with wheels, relative to the project; where there are any, nothing else is asked."""
    path: tuple[str, ...] = ()

    @property
    def lock(self) -> Path:
        """Where it is written down what was chosen."""
        return self.project / LOCK

    @property
    def head(self) -> str:
        """The first lines of the lock, by which is seen whether it is still about these requirements."""
        asked = json.dumps(self.requirements)
        return f"# what python.requirements of {CONFIGURATION} came to; made by {INSTALL}\n# {asked}\n"

    @property
    def folder(self) -> Path:
        """Where they are, or are to be, unpacked. Raises InvalidModule where the lock is not theirs."""
        try:
            text = self.lock.read_text("utf-8")
        except OSError:
            text = ""
        if not text.startswith(self.head):
            raise InvalidModule("python.requirements: the packages are not chosen yet", hint=INSTALL)
        return self.project / ".caxton" / "python" / hashlib.sha256(text.encode()).hexdigest()[:24]

    def folders(self) -> list[Path]:
        """Where modules are: what `path` names, then the packages. InvalidModule where something is not there."""
        found = [self.project / name for name in self.path]
        for name, folder in zip(self.path, found, strict=True):
            if not folder.is_dir():
                raise InvalidModule(
                    f"python.path: there is no folder {name}", hint=f"correct it in {CONFIGURATION}"
                )
        if self.requirements:
            if not self.folder.is_dir():
                raise InvalidModule("python.requirements: the packages are not installed yet", hint=INSTALL)
            found.append(self.folder)
        return found


def packages_of(file: Path) -> Packages | None:
    """Those of the project that a file belongs to; None where it belongs to none. What is wrong there others say."""
    folder = file.resolve().parent
    project = next((one for one in (folder, *folder.parents) if (one / CONFIGURATION).is_file()), None)
    if project is None:
        return None
    try:
        table: Any = tomllib.loads((project / CONFIGURATION).read_text("utf-8-sig")).get("python", {})
        said = [tuple(str(one) for one in table.get(key, ())) for key in ("requirements", "wheels", "path")]
    except (OSError, ValueError, AttributeError, TypeError):
        said = []
    return Packages(project, *said)


def install(packages: Packages) -> list[str]:
    """Choose where nothing is chosen, and unpack where that is not done; what there is, as name==version.

    Raises InvalidModule with the package that cannot be had, ResourceError where pip does not end.
    """
    if not packages.requirements:
        return []
    try:
        folder = packages.folder
    except InvalidModule:
        packages.lock.write_text(packages.head + _chosen(packages), "utf-8")
        folder = packages.folder
    if not folder.is_dir():
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="install-") as scratch:
            made = Path(scratch) / "made"
            _pip(
                packages,
                "--require-hashes",
                "--no-deps",
                "--no-compile",
                "--target",
                str(made),
                "-r",
                str(packages.lock),
            )
            _put(made, folder)
    for old in folder.parent.iterdir():
        if old != folder and not old.name.startswith("install-"):
            shutil.rmtree(old, ignore_errors=True)
    lines = packages.lock.read_text("utf-8").splitlines()
    return [line.split(" ")[0] for line in lines if not line.startswith("#")]


def _chosen(packages: Packages) -> str:
    """Every wheel that is needed, with its hash, as pip reads it."""
    with tempfile.TemporaryDirectory() as nowhere:
        report = _pip(
            packages,
            "--dry-run",
            "--ignore-installed",
            "--target",
            nowhere,
            "--report",
            "-",
            *packages.requirements,
        )
    try:
        found = cast("list[dict[str, Any]]", json.loads(report)["install"])
        lines = [
            f"{one['metadata']['name']}=={one['metadata']['version']}"
            f" --hash=sha256:{one['download_info']['archive_info']['hashes']['sha256']}\n"
            for one in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ResourceError(f"pip's report cannot be read: {error}", hint="use pip 22.2 or later") from None
    return "".join(sorted(lines, key=str.lower))


def _pip(packages: Packages, *arguments: str) -> str:
    """What pip says. Raises InvalidModule where it cannot have a package."""
    where = ["--no-index"] if packages.wheels else []
    for name in packages.wheels:
        where += ["--find-links", str(packages.project / name)]
    words = [sys.executable, *_program(), "install", *_PURE, *where, *arguments]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PIP_S, check=False)
    except subprocess.TimeoutExpired:
        raise ResourceError(f"pip took longer than {PIP_S:.0f} s") from None
    if ended.returncode == 0:
        return ended.stdout
    missing = _NOT_FOUND.search(ended.stderr)
    if missing is not None:
        raise InvalidModule(
            f"python.requirements: there is no wheel of {missing[1]} in pure Python",
            hint="an agent runs in a sandbox, without native code: use another package, or ask an agent outside",
        )
    last = [line for line in ended.stderr.splitlines() if line.strip()][-1:] or ["no word"]
    raise InvalidModule(
        f"python.requirements: {last[0].removeprefix('ERROR: ')[:300]}", hint="correct it in caxton.toml"
    )


def _program() -> list[str]:
    """pip, or the one that Python brings to install it with."""
    if importlib.util.find_spec("pip") is not None:
        return ["-m", "pip"]
    spec = importlib.util.find_spec("ensurepip")
    wheels = sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl")) if spec and spec.origin else []
    if not wheels:
        raise ResourceError("pip is not installed", hint="python -m ensurepip")
    return [str(_unpacked(wheels[-1]) / "pip")]


def _unpacked(wheel: Path) -> Path:
    """What a wheel holds, once in the user's cache: out of an archive Python compiles it anew each time."""
    folder = platformdirs.user_cache_path("caxton") / "pip" / wheel.stem
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, zipfile.ZipFile(wheel) as archive:
                archive.extractall(Path(scratch) / "made")
                _put(Path(scratch) / "made", folder)
    except OSError:
        return wheel
    return folder


def _put(made: Path, folder: Path) -> None:
    """Give what is whole its name."""
    try:
        os.rename(made, folder)
    except OSError:
        if not folder.is_dir():  # somebody else was quicker
            raise
