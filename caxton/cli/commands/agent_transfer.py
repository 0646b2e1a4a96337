"""`caxton agent export` and `import`: an agent in one file, from one project to another."""

from __future__ import annotations

import base64
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from caxton.cli import connection
from caxton.cli.options import AgentName, Project
from caxton.cli.output.printing import safe, size, talk
from caxton.disk import sync_folder, translated
from caxton.errors import BundleError

FileName = Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")]
WAIT_S = 60.0


def export(
    name: AgentName,
    file: FileName,
    keep: Annotated[
        bool, typer.Option("--keep", help="Let the agent go on here too: the file has a copy.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Leave behind what cannot come along; it is said what.")
    ] = False,
    project: Project = None,
) -> None:
    """Write an agent to one file, to take it to another project: module, settings, memory, timers, registrations.

    It rests after its present turn. Once the file is written, its conversations here end, those who wait for it are
    told, and it stays stopped. If the file cannot be written it goes on as before.

    \b
    Examples:
      caxton agent export seller-ann ann.agent
      caxton agent export seller-ann copy.agent --keep
    """
    with connection.client(project, timeout_s=WAIT_S) as caxton, _new(file) as out:
        made = caxton.export_agent(name, keep=keep, force=force)
        try:
            data = base64.b64decode(made.bundle)
            with translated(file):
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
                _draft(file).rename(file)
                sync_folder(file.absolute().parent)
        except BaseException:
            if made.ran and not keep:
                caxton.change_agent(name, "resume")
            raise
        if not keep:
            caxton.leave_agent(name, made.moment)
    memory = "no memory" if made.memory_bytes is None else f"a memory of {size(made.memory_bytes)}"
    talk(f"{file}: {safe(name)} with {memory}, {made.timers:,} timers, {made.subscriptions:,} subscriptions")
    _say_lost(made.lost)
    if not keep:
        talk(f"{safe(name)}: stopped here; its memory stays until caxton agent remove {safe(name)}")


def take_in(
    file: FileName,
    force: Annotated[
        bool, typer.Option("--force", help="Do without what would be lost; it is said what.")
    ] = False,
    project: Project = None,
) -> None:
    """Bring an agent that was exported to this project, and let it go on with all that it had.

    Refused where something would be lost: a limit that is lower here, a right that this project does not give, a
    name that is taken. Nothing of it is here then.

    \b
    Examples:
      caxton agent import ann.agent
      caxton -p ~/other agent import ann.agent --force
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{file} cannot be read: {error.strerror}", hint="caxton agent export NAME FILE"
        ) from None
    with connection.client(project, timeout_s=WAIT_S) as caxton:
        done = caxton.import_agent(data, force=force)
    memory = "without a memory" if done.deployment.memory is None else "with its memory"
    talk(f"{safe(done.agent)}: {done.deployment.state} {memory}")
    _say_lost(done.lost)


def _say_lost(lost: Sequence[str]) -> None:
    for one in lost:
        talk(f"  lost: {safe(one)}")


@contextmanager
def _new(file: Path) -> Generator[BinaryIO]:
    """A file beside, for what `file` will be; it is made before anything is done, so that it can be made."""
    if file.exists():
        raise BundleError(f"{file} is there already", hint="name another file: an export replaces nothing")
    draft = _draft(file)
    with translated(draft):
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as out:
            yield out
    finally:
        draft.unlink(missing_ok=True)


def _draft(file: Path) -> Path:
    return file.with_name(file.name + ".part")
