"""`caxton docs`: what is searched is what the pages say."""

from __future__ import annotations

import json

from caxton.cli import doc_pages

from .command import ROOT, caxton


def test_sections_are_found_by_all_words_headings_first() -> None:
    found = doc_pages.find(ROOT / "docs", ["Regular", "expressions"])
    assert (found[0].page, found[0].heading) == ("finding", "Regular expressions")
    assert all("regular" in f"{one.heading} {one.text}".casefold() for one in found if one.page != "finding")
    assert doc_pages.find(ROOT / "docs", ["no-such-word-anywhere"]) == []


def test_what_looks_like_a_heading_inside_an_example_is_none() -> None:
    text = "# One\nhello\n```sh\n# a comment\n```\n## Two\nthere\n"
    assert [(one.heading, one.text) for one in doc_pages.sections("p", text)] == [
        ("One", "hello\n```sh\n# a comment\n```"),
        ("Two", "there"),
    ]


def test_pages_are_listed_read_and_searched() -> None:
    listed = caxton("docs")
    assert listed.returncode == 0
    assert all(f"\n{page.stem} " in listed.stdout for page in (ROOT / "docs").glob("*.md"))
    assert caxton("docs", "hold").stdout == (ROOT / "docs" / "hold.md").read_text("utf-8")
    searched = caxton("docs", "break", "points", "-o", "json")
    assert {"page", "heading", "text"} == set(json.loads(searched.stdout)[0])
    assert "hold" in caxton("docs", "break", "points").stdout
    missing = caxton("docs", "no-such-word-anywhere")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "hint: fewer words" in missing.stderr
