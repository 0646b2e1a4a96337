"""A Python agent looked at by the runtime that will run it:
`python -m caxton.sandbox.python.check SOURCE [--output MODULE] [--depfile FILE] [--runtime COMPILED] [--turn]`.

In: a source file; this machine's runtime, which is built first where it is not there. Out: with `--output` the agent as
a module, with `--depfile` which files it is made of; exit code 0. An error is written as compilers write it
(`file:line:column: error: …`), exit code 1. The source is compiled, which runs nothing of it; with `--turn` it is also
run on one message. A child of whoever builds, never the daemon.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
from pathlib import Path

import msgspec

from caxton.errors import CaxtonError
from caxton.limits import Limits
from caxton.sandbox.cache_labels import CacheLabel
from caxton.sandbox.compile.python_imports import imported
from caxton.sandbox.compile.python_source import unpack
from caxton.sandbox.components.component import ComponentInstance
from caxton.sandbox.components.linker import World
from caxton.sandbox.faults import GuestFault
from caxton.sandbox.modules import component
from caxton.sandbox.profiles import STACK
from caxton.sandbox.python.requirements import CONFIGURATION, install, packages_of
from caxton.sandbox.python.runtime import RuntimeFolder, folders_of, packed, runtime_name

MESSAGE = b'{"id":"try","performative":"request","sender":"operator@local","timestamp":0,"content":{"n":1}}'
LIMITS = Limits(fuel=10_000_000_000, wall_ms=60_000)


def main(arguments: list[str]) -> int:
    """Look at one file; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("--runtime", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--depfile", type=Path)
    parser.add_argument("--turn", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        runtime = chosen.runtime or RuntimeFolder().there(runtime_name()) or _built()
    except CaxtonError as error:
        sys.stderr.write(f"error: {error.message}\n{error.hint or ''}\n")
        return 1
    outcome: list[str | None] = []
    # never a guest on the main thread, and never on a small stack
    threading.stack_size(16 * STACK)
    worker = threading.Thread(target=lambda: outcome.append(_look(chosen, runtime)))
    worker.start()
    worker.join()
    wrong = outcome[0] if outcome else "error: the check ended early"
    if wrong is None:
        return 0
    sys.stderr.write(f"{wrong}\n")
    return 1


def _look(chosen: argparse.Namespace, runtime: Path) -> str | None:
    """What is wrong, as a compiler says it; None where nothing is."""
    source: Path = chosen.source
    try:
        packages = packages_of(source)
        if packages is not None:
            install(packages)
        module = packed(source, source.read_bytes())
    except OSError as error:
        return f"{source}: error: {error.strerror}"
    except CaxtonError as refused:
        return "\n".join(filter(None, (_complaint(refused.message), refused.hint)))
    agent = unpack(module)
    assert agent is not None
    if chosen.depfile is not None:
        read = [source, *imported(agent.source, folders_of(source)).values()]
        if packages is not None and (packages.path or packages.requirements):
            read.append(packages.project / CONFIGURATION)
        names = " ".join(shlex.quote(str(file.resolve())).replace("$", "$$") for file in read)
        chosen.depfile.write_text(f"{source.name}: {names}\n", "utf-8")
    label = CacheLabel(component=str(runtime), file=agent.file, source=agent.told)
    try:
        instance = ComponentInstance(World(component(label.component), label), LIMITS)
        if chosen.turn:
            instance.init("try", {})
            if instance.turn(MESSAGE)[0] != 1:
                return f"{source}: error: the agent did not answer"
        instance.close()
    except GuestFault as fault:
        logged = [msgspec.json.decode(line)["message"] for line in fault.logs.splitlines()]
        return "\n".join([_complaint(fault.reason), *logged])
    if chosen.output is not None:
        chosen.output.write_bytes(module)
    return None


def _built() -> Path:
    """The runtime, built now."""
    # here, not above: asyncio alone would make every save a tenth slower
    import asyncio

    from caxton.sandbox.python.build import PythonRuntime

    return asyncio.run(PythonRuntime().build(_tell))


def _tell(what: str) -> None:
    sys.stderr.write(f"Python runtime, only once: {what}\n")


def _complaint(said: str) -> str:
    """`agent.py:3:5: SyntaxError: …` with the word that marks an error in compilers' output."""
    place, colon, rest = said.partition(": ")
    return f"{place}: error: {rest}" if colon else f"error: {said}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
