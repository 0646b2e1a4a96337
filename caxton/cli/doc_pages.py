"""The documentation as the command line searches it: pages, parted into sections by their headings.

In: the pages that are installed with Caxton, and words. Out: the sections in which all of them stand, those with the
words in their heading first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEADING: Final = re.compile(r"^(#{1,4}) (.+)$")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading of a page."""

    page: str
    heading: str
    text: str

    def rank(self, words: Sequence[str]) -> int | None:
        """0 where a heading says it all, 1 where the page's name and heading do, 2 where the text does."""
        heading, all_of = self.heading.casefold(), f"{self.page} {self.heading}\n{self.text}".casefold()
        if not all(word in all_of for word in words):
            return None
        if all(word in heading for word in words):
            return 0
        return 1 if all(word in f"{self.page} {heading}" for word in words) else 2

    def line(self, words: Sequence[str]) -> str:
        """The first line with one of the words, else the first."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip(" `|-")]
        return next(
            (line for line in lines if any(word in line.casefold() for word in words)),
            lines[0] if lines else "",
        )


def folder() -> Path:
    """Where the pages are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "docs"
    return packaged if packaged.is_dir() else package.parent / "docs"


def pages(where: Path) -> dict[str, Path]:
    """The pages by their names, the decisions left out."""
    return {page.stem: page for page in sorted(where.glob("*.md"))}


def sections(page: str, text: str) -> Iterator[Section]:
    """What a page has under each heading; what looks like one inside an example is none."""
    heading, lines, fenced = page, list[str](), False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        if lines:
            yield Section(page, heading, "\n".join(lines).strip())
        heading, lines = found[2], []
    yield Section(page, heading, "\n".join(lines).strip())


def find(where: Path, words: Sequence[str]) -> list[Section]:
    """The sections with all of the words, the best first."""
    wanted = [word.casefold() for word in words]
    found = [
        (rank, place, one)
        for place, (name, path) in enumerate(pages(where).items())
        for one in sections(name, path.read_text("utf-8"))
        if (rank := one.rank(wanted)) is not None
    ]
    return [one for _, _, one in sorted(found, key=lambda each: each[:2])]
