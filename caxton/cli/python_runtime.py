"""The Python runtime of this machine, and Python agents as modules: for all commands that meet one.

In: sources of agents. Out: their modules; the runtime is built where it is needed and not there yet.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from caxton.cli.output.progress_line import ProgressLine
from caxton.config import FILE_NAME, Project
from caxton.errors import ConfigurationError
from caxton.sandbox.compile.python_source import HEAD_BYTES, is_python
from caxton.sandbox.python.build import PythonRuntime
from caxton.sandbox.python.progress import Estimate
from caxton.sandbox.python.requirements import install as install_packages
from caxton.sandbox.python.requirements import packages_of
from caxton.sandbox.python.runtime import BUILDER, BUILDER_VERSION, RuntimeFolder, packed, runtime_name

TICK_S: Final = 0.5


def build(*, anew: bool) -> Path:
    """Build the runtime and show how far it is; where it is. Raises CaxtonError where it cannot be built."""
    with ProgressLine() as line:
        return asyncio.run(_shown(line, anew))


async def _shown(line: ProgressLine, anew: bool) -> Path:
    estimate = Estimate(time.monotonic)

    def begin(what: str) -> None:
        estimate.begin(what)
        progress = estimate.progress()
        line.begin(progress.title, progress.left)

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            progress = estimate.progress()
            line.show(progress.left, progress.part)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        try:
            return await PythonRuntime().build(begin, anew=anew)
        finally:
            ticking.cancel()


def ensure() -> None:
    """Build the runtime where it is not there yet."""
    if RuntimeFolder().there(runtime_name()) is None:
        build(anew=False)


def described() -> dict[str, str | int | bool | None]:
    """Whether it is built, its name, where it is, how large."""
    runtime, name = RuntimeFolder(), runtime_name()
    place = runtime.component(name)
    return {
        "built": runtime.is_built(),
        "name": name,
        "path": str(place),
        "bytes": place.stat().st_size if runtime.is_built() else None,
        "built_with": f"{BUILDER} {BUILDER_VERSION}",
    }


def is_wanted(project: Project) -> bool:
    """Whether an agent of this project is one in Python, as source or packed."""
    for name in project.config.agents:
        module = project.module(name)
        if module.suffix == ".py":
            return True
        try:
            with module.open("rb") as file:
                if is_python(file.read(HEAD_BYTES)):
                    return True
        except OSError:
            continue  # others say that it is missing
    return False


def pack(source: Path, module: Path) -> int:
    """Write an agent's source as a module; its bytes."""
    try:
        return module.write_bytes(packed(source, source.read_bytes()))
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from error


def install(folder: Path) -> list[str]:
    """Choose and unpack the packages of the project in that folder; what there is, as name==version."""
    packages = packages_of(folder / FILE_NAME)
    return install_packages(packages) if packages is not None else []


def module_of(file: Path) -> bytes:
    """What a file is to the daemon: a Python agent's source as a module, anything else as it is.

    The runtime is built first where this machine has none.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}", hint="give the path of a .wasm, .wat or .py file"
        ) from error
    if file.suffix != ".py":
        return content
    install(file.parent)
    module = packed(file, content)
    ensure()
    return module
