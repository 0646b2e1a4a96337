"""`caxton docs`: search the documentation in the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from caxton.cli import doc_pages
from caxton.cli.options import Format, Output, command_app
from caxton.cli.output.columns import Column
from caxton.cli.output.printing import Columns, document, listing, safe, say, talk
from caxton.errors import ConfigurationError

app = command_app()

SHOWN = 20
"""Sections that a search shows."""


def _page(incomplete: str) -> list[str]:
    return [name for name in doc_pages.pages(doc_pages.folder()) if name.startswith(incomplete)]


@app.command()
def docs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]", help="Words that stand there; one page's name reads it.", autocompletion=_page
        ),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Search the documentation: the sections in which all words stand, or a whole page by its name.

    Without a word it lists the pages.

    \b
    Examples:
      caxton docs
      caxton docs idempotency key
      caxton docs hold | less
    """
    where = doc_pages.folder()
    known = doc_pages.pages(where)
    if not words:
        first = [next(doc_pages.sections(name, path.read_text("utf-8"))) for name, path in known.items()]
        listing(first, output, PAGES, "there are no pages")
        return
    if len(words) == 1 and words[0] in known:
        text = known[words[0]].read_text("utf-8")
        if output is Format.TEXT:
            for line in text.splitlines():
                say(safe(line))
        else:
            document({"page": words[0], "text": text}, output)
        return
    found = doc_pages.find(where, words)
    if not found:
        raise ConfigurationError(
            f"no section has {' and '.join(map(repr, words))}", hint="fewer words, or the pages: caxton docs"
        )
    if output is not Format.TEXT:
        document([asdict(one) for one in found], output)
        return
    listing(found[:SHOWN], output, _sections(words), "")
    if len(found) > SHOWN:
        talk(f"{len(found) - SHOWN} more; another word narrows it. A page whole: caxton docs PAGE")


def _sections(words: list[str]) -> Columns[doc_pages.Section]:
    wanted = [word.casefold() for word in words]
    return (
        ("PAGE", lambda one: one.page),
        Column("SECTION", lambda one: one.heading, rank=0),
        ("WHAT IT SAYS", lambda one: one.line(wanted)),
    )


PAGES: Columns[doc_pages.Section] = (
    ("PAGE", lambda one: one.page),
    Column("SUBJECT", lambda one: one.heading, rank=0),
    ("BEGINS", lambda one: one.line(())),
)
