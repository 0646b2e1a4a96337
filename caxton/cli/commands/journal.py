"""`caxton journal`: what the journal keeps and why, its rows as lines, and whether it is as it was written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from caxton.cli import connection
from caxton.cli.lazy import lazy
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import document, paint, plural, safe, shown, size, talk
from caxton.errors import JournalDamaged

if TYPE_CHECKING:
    from caxton.journal.integrity import repair as repairs
    from caxton.journal.integrity import verify as checks
    from caxton.schemas.journal import JournalDetail
else:
    checks, repairs = lazy("caxton.journal.integrity.verify", "caxton.journal.integrity.repair")

app = command_app(
    "Show what the journal keeps and why, trust its clock, export it, find damage and take it out."
)
PROGRESS_S = 2.0
PAGE = 1_000


@app.command()
def status(project: Project = None, output: Output = Format.TEXT) -> None:
    """Show what is in the journal, and what keeps it from shrinking.

    Messages stay that are not finished, that belong to pinned conversations, or that an agent's memory is made
    from. A clock that is not trusted keeps everything that would go for its age.

    \b
    Examples:
      caxton journal status
      caxton journal status -o json
    """
    with connection.client(project) as caxton:
        answer = caxton.journal()
    shown(answer, output, _lines(answer))


@app.command("trust-clock")
def trust_clock(project: Project = None) -> None:
    """Say that the wall clock is right as it is, so that rows are removed for their age again.

    A clock that stands more than a day before the newest row, or that was set by more than a day, is doubted: the
    age of rows is not known then.

    \b
    Example:
      caxton journal trust-clock
    """
    with connection.client(project) as caxton:
        doubt = caxton.journal().clock_doubt
        caxton.trust_clock()
    talk("the clock was trusted already" if doubt is None else "the clock is trusted again")


@app.command()
def export(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help='A time, or how long ago: "2h". The beginning otherwise.'
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="The same, left out itself.")
    ] = None,
    output: Annotated[
        Literal["jsonl"], typer.Option("--output", "-o", help="One JSON line a message.")
    ] = "jsonl",
    project: Project = None,
) -> None:
    """Print every message with its turns and dead letters as JSON lines, the oldest first.

    What it prints can be judged by caxton check. The daemon has to run; it is not held up.

    \b
    Examples:
      caxton journal export --since 2h -o jsonl > messages.jsonl
      caxton journal export --since 2026-11-30T08:00:00Z --until 2026-11-30T09:00:00Z
      caxton journal export | caxton check -
    """
    told, count, last = time.monotonic(), 0, 0
    with connection.client(project) as caxton:
        while page := caxton.messages(since=since, until=until, after=last, limit=PAGE):
            for message in page:
                document(message, Format.JSONL)
            count, last = count + len(page), page[-1].seq
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                talk(f"{count:,} messages so far")
    talk(plural(count, "message"))


@app.command()
def verify(project: Project = None, output: Output = Format.TEXT) -> None:
    """Check that every byte of the journal is as it was written, and that what is derived from its rows fits them.

    The daemon may run: one moment of its journal is checked. Damage is named with the messages, conversations and
    agents that it touches; then the exit code is 1. Nothing is changed.

    \b
    Examples:
      caxton journal verify
      caxton -p ~/market journal verify -o json
    """
    report = checks.verify(connection.folder(project) / connection.STATE, _telling())
    shown(report, output, (line for one in report.findings for line in _found(one)))
    if report.findings:
        raise JournalDamaged(
            f"{plural(len(report.findings), 'finding')} in {report.pages:,} pages",
            hint="stop the daemon and take it out: caxton down && caxton journal repair",
        )
    talk(f"{report.pages:,} pages and {report.log_pages:,} of the log are as they were written")


@app.command()
def repair(project: Project = None, output: Output = Format.TEXT) -> None:
    """Take out of the journal what is damaged, and say what is gone; the daemon must not run.

    A page in which one bit has changed is put right: its checksum proves it. Of other damaged pages the rows are gone,
    and the rest stays. The damaged file is kept beside the journal.

    \b
    Examples:
      caxton journal repair
      caxton journal repair -o json
    """
    report = repairs.repair(connection.folder(project) / connection.STATE, _telling())
    shown(report, output, (line for one in report.gone for line in _found(one)))
    if report.kept is None:
        talk("nothing is damaged")
        return
    talk(f"put right: {plural(len(report.mended), 'page')}; the damaged journal is {report.kept}")
    if report.lost_rows:
        talk(f"lost at the end: {plural(report.lost_rows, 'row')}")


def _telling() -> checks.Progress:
    """Say now and then how far it is."""
    told = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            talk(f"{what}: {100 * done // max(1, total)} %")

    return progress


def _found(finding: checks.Finding) -> Iterator[str]:
    yield paint(safe(finding.what), "red" if finding.lost else "yellow")
    if finding.first_seq is not None:
        last = "the end" if finding.last_seq is None else f"{finding.last_seq:,}"
        yield f"  numbers {finding.first_seq:,} to {last}"
    for name, found in (("conversations", finding.conversations), ("agents", finding.agents)):
        if found:
            yield f"  {name}: {safe(', '.join(found))}"


def _lines(answer: JournalDetail) -> Iterator[str]:
    rows = [
        ("rows", f"{answer.first_seq or 0:,} to {answer.last_seq:,}, removed up to {answer.removed_upto:,}"),
        ("size", f"{size(answer.used_bytes)} in a file of {size(answer.file_bytes)}"),
        (
            "bounds",
            f"{answer.keep_days or 'any number of'} days; {size(answer.counted_bytes)} of "
            f"{size(answer.keep_mib << 20) if answer.keep_mib else 'any size'}",
        ),
    ]
    if answer.pages:
        rows.append(("checked", f"{answer.checked_pages:,} of {answer.pages:,} pages, at the start"))
    for name, text in rows:
        yield f"{paint(f'{name:<8}', 'bold')} {text}"
    for why in _keeps(answer):
        yield f"{paint('stays   ', 'bold')} {why}"
    if answer.clock_doubt is not None:
        yield paint(f"the clock is doubted: {safe(answer.clock_doubt)}", "bold yellow")
        yield "nothing is removed for its age until you say: caxton journal trust-clock"
    for trouble in filter(None, (answer.failed, answer.trouble)):
        yield paint(f"the disk: {safe(trouble)}", "bold red")


def _keeps(answer: JournalDetail) -> Iterator[str]:
    for waiting in answer.unfinished:
        yield (
            f"{plural(waiting.rows, 'message')} that {safe(waiting.agent or 'a removed agent')} has not handled, "
            f"{size(waiting.bytes)}; it is {waiting.state or 'removed'}"
        )
    if answer.oldest_unfinished is not None and not answer.unfinished:
        yield f"message {answer.oldest_unfinished:,} is the oldest that waits or is held"
    if answer.pinned.rows:
        yield f"{plural(answer.pinned.rows, 'message')} of pinned conversations, {size(answer.pinned.bytes)}"
    for memory in answer.memories:
        share = f" of {size(answer.memory_mib << 20)}" if answer.memory_mib else ""
        yield (
            f"{plural(memory.rows, 'turn')} that the memory of {safe(memory.agent or 'a removed agent')} is made "
            f"from, {size(memory.bytes)}{share}; it is {memory.state or 'removed'}"
        )
