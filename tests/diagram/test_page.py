"""A conversation's page: everything that was said stands in it, and nothing that was said is obeyed."""

from __future__ import annotations

from html.parser import HTMLParser

from caxton.diagram import draw_page
from caxton.schemas.shape import iso

from .talk import BEGAN_US, said, talk

EVIL = (
    "</pre></svg><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202eRTL\u2066\x1b[31m\x00\x07\r\n"
)
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "p",
        "div",
        "table",
        "tbody",
        "tr",
        "td",
        "details",
        "summary",
        "pre",
        "a",
        "span",
        "svg",
        "rect",
        "text",
        "line",
        "path",
    ]
)


class Read(HTMLParser):
    """Tags, attributes and texts of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_nothing_said_is_markup_or_a_control_character() -> None:
    verdict = {
        "legality": "violation",
        "rule": EVIL,
        "state": EVIL,
        "legal": [EVIL],
        "sentence": EVIL,
        "warning": None,
        "delivered": True,
    }
    letter = {"seq": 9, "at": iso(BEGAN_US), "agent": EVIL, "code": EVIL, "reason": EVIL}
    found = talk(
        said(1, EVIL, [EVIL, "b"], EVIL, {EVIL: [EVIL, {EVIL: EVIL}]}, status=EVIL, verdict=verdict),
        said(2, "b", EVIL, "inform", EVIL, dead_letters=[letter], redelivered=True),
        id=EVIL,
        protocol=EVIL,
        state=EVIL,
        phase=EVIL,
        outcome=EVIL,
        parent=EVIL,
        initiator=EVIL,
        participants=[EVIL],
        violations=1,
        next=2,
        branches=[
            {
                "participant": EVIL,
                "state": EVIL,
                "end": None,
                "awarded": True,
                "reason": EVIL,
                "deadline_at": None,
            }
        ],
    )
    page = draw_page(found, more=f"?after={EVIL}", before=3)
    read = Read(page)
    assert read.tags <= TAGS
    assert not [name for name in read.attributes if name.startswith("on")]
    assert [c for c in page if not c.isprintable() and c != "\n"] == []
    whole = "".join(read.texts)
    # it is shown, too, and a reader sees what it was
    assert whole.count("<script>alert(1)</script>") > 10
    assert r"\u202eRTL\u2066\x1b[31m" in whole
    assert "after 5 messages there are more" in whole
    page.encode()


def test_a_page_says_what_became_of_each_message() -> None:
    many = talk(said(1, "a", "b", "request", "x" * 30_000), said(2, "b", "a", "inform", 2**64 + 1))
    page = draw_page(many)
    assert '<details id="m1">' in page
    assert "18446744073709551617" in page
    assert "characters more" in page
    assert "b (b7e3c50): ok, waited 200 µs, took 50 µs, 21,000 fuel, 1 sent" in page
    assert "<script" not in page
    live = draw_page(many, script="/static/live.js")
    assert '<script src="/static/live.js" defer></script>' in live
    assert "http-equiv" not in live
