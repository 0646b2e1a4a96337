"""How diagrams look: always as wide as was asked for, the same words in every form, and nothing obeyed."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from caxton.acl import Performative
from caxton.diagram import Layout, draw_svg, draw_text, draw_waterfall, lines_of, read_timeline
from caxton.diagram.waterfall import bar_parts, bars_of, heading, length_us

from .talk import said, talk

NAMES = [*"abcdefghijkl", "seller-with-a-very-long-name-1", "seller-with-a-very-long-name-2"]
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
        st.sampled_from([act.value for act in Performative]),
        st.one_of(st.none(), st.text(max_size=80), st.dictionaries(st.text(max_size=5), st.integers())),
    ),
    max_size=12,
)


@given(MESSAGES, st.integers(40, 200))
def test_every_line_is_as_wide_as_it_should_be(messages: list[tuple], width: int) -> None:  # type: ignore[type-arg]
    timeline = read_timeline(talk(*(said(n, *message) for n, message in enumerate(messages, 1))))
    layout = Layout(timeline, width)
    for parts in (layout.heading(), *(layout.parts(line) for line in lines_of(timeline))):
        text = "".join(text for text, _ in parts)
        assert cell_len(text) == layout.width >= width
        assert text.isprintable()
    bars = bars_of(timeline)
    assert len(bars) == sum(len(message[1]) for message in messages)
    for parts in (heading(width, length_us(bars)), *(bar_parts(bar, width, length_us(bars)) for bar in bars)):
        assert cell_len("".join(text for text, _ in parts)) == max(width, 73)
    assert len(draw_text(timeline, width).splitlines()) == 2 + len(lines_of(timeline))
    assert len(draw_waterfall(timeline, width).splitlines()) == 1 + len(bars)


@given(MESSAGES)
def test_an_svg_is_xml_and_says_every_act(messages: list[tuple]) -> None:  # type: ignore[type-arg]
    svg = draw_svg(read_timeline(talk(*(said(n, *message) for n, message in enumerate(messages, 1)))))
    root = ElementTree.fromstring(svg)
    texts = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    for _, _, act, _ in messages[:3]:
        assert any(act in text for text in texts)


def test_an_arrow_goes_from_lane_to_lane() -> None:
    timeline = read_timeline(
        talk(
            said(1, "buyer", ["ann", "bob"], "cfp", {"item": "book"}, reply_with="r"),
            said(2, "bob", "buyer", "propose", {"price": 42}, in_reply_to="r"),
            said(3, "ann", ["buyer", "bob"], "inform", 1),
        )
    )
    assert draw_text(timeline, 80).splitlines() == [
        "c-1  fipa-request",
        "  NO      TIME     buyer        ann         bob     WORDS                BUILD",
        " ?   1     +0 µs      ├─cfp──────▶┼──────────▶│     item=book            b7e3c50",
        " +   2   +1.0 ms      │◀─propose──┼───────────┤     ↩1 price=42          b7e3c50",
        " =   3   +2.0 ms      │◀──────────┼─inform───▶│     1                    b7e3c50",
    ]


def test_lanes_show_whole_names_where_there_is_room() -> None:
    sellers = ["seller-ann", "seller-bob", "seller-cleo"]
    timeline = read_timeline(
        talk(said(1, "buyer", sellers, "cfp"), said(2, "seller-bob", "buyer", "propose", "שלום 12"))
    )
    # 71: the diagram of the terminal interface at 120 columns
    heading, cfp, propose = draw_text(timeline, 71).splitlines()[1:]
    assert heading == "  NO      TIME    buyer  seller-ann seller-bob seller-cleo WORDS"
    assert cfp == " ?   1     +0 µs    ├─cfp────▶┼─────────▶┼──────────▶│"
    assert propose.endswith('◀─propose┼──────────┤           │     \u2066↩1 "שלום 12"\u2069')
    # where there is none, what tells them apart stays
    assert (
        draw_text(timeline, 66).splitlines()[1] == "  NO      TIME    buyer  sel…-ann sel…-bob sel…cleo WORDS"
    )


def test_lanes_that_do_not_fit_are_folded_and_none_is_out_of_reach() -> None:
    others = [f"m{number}" for number in range(12)]
    timeline = read_timeline(
        talk(said(1, "a", others, "cfp"), *(said(n + 2, m, "a", "propose") for n, m in enumerate(others)))
    )
    seen: set[str] = set()
    for skip in range(20):
        layout = Layout(timeline, 80, skip)
        own = layout.lanes[:-1]
        assert own[0] == "a"
        assert layout.lanes[-1] == f"+{len(layout.folded)} more"
        assert {*own, *layout.folded} == set(timeline.lanes)
        assert len(own) + len(layout.folded) == 13
        assert len(own) == len(Layout(timeline, 80).lanes) - 1
        for line in lines_of(timeline):
            assert sum(len(text) for text, _ in layout.parts(line)) == 80
        seen |= set(own)
    assert seen == set(timeline.lanes)
    assert not Layout(timeline, Layout.least(timeline)).folded
    assert Layout(timeline, Layout.least(timeline) - 1).folded
    text = draw_text(timeline, 80)
    assert "more" not in text
    assert all(name in text.splitlines()[1] for name in timeline.lanes)


def test_a_wide_waterfall_cuts_no_act() -> None:
    timeline = read_timeline(talk(said(1, "a", "b", "accept-proposal")))
    for width in (100, 160):
        text = draw_waterfall(timeline, width)
        assert ("accept-proposal" in text) == (width == 160)
        assert max(map(len, text.splitlines())) <= width


def test_nothing_of_an_svg_is_cut_and_no_name_stands_in_another() -> None:
    names = ["procurement-buyer-europe-west-17", "procurement-seller-ann", "procurement-seller-bob"]
    long = "a content of which nobody knows where it ends, least of all an arrow to the next lane"
    timeline = read_timeline(
        talk(
            said(1, names[0], names[1:], "cfp", long),
            said(2, names[2], names[0], "propose", "日本語" * 40, status="trap"),
            said(3, names[0], names[0], "inform", long, revision="c" * 64),
            id="order-" + "x" * 90,
            state="Completed",
        )
    )
    root = ElementTree.fromstring(draw_svg(timeline))
    places: dict[int, list[tuple[float, float]]] = {}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        x, wide = float(text.attrib["x"]), cell_len(text.text or "") * 7.2
        left = x - wide / 2 if text.attrib["text-anchor"] == "middle" else x
        assert left >= 0, text.text
        assert left + wide <= float(root.attrib["width"]), text.text
        places.setdefault(int(text.attrib["y"]), []).append((left, left + wide))
    for line in places.values():
        line.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(line)), line
