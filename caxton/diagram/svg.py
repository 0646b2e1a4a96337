"""A diagram as an SVG, for pages.

In: a `Timeline`. Out: one SVG document with a title, lanes, arrows and notes; it loads nothing and runs nothing, and
nothing that an agent said is markup in it.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from rich.cells import cell_len

from caxton.diagram.lines import SIGNS, Line, Mark, lines_of
from caxton.diagram.timeline import Timeline, TimelineMessage
from caxton.presentation.cells import cut
from caxton.presentation.text import span

_LANE: Final = 190
"""Between two lanes, where no name needs more."""
_ROW: Final = 34
_TOP: Final = 76
_LEFT: Final = 104
_CELL: Final = 7.3
"""A character of a font of equal widths, at its size of 12."""
_WORDS: Final = 60
"""Cells of a content on an arrow."""
_COLOURS: Final = {"?": "#1f6feb", "+": "#9a6700", "=": "#1a7f37", "-": "#bc4c00", "!": "#cf222e"}
_NOTES: Final = {
    "bad": ("#ffebe9", "#cf222e"),
    "dim": ("#f6f8fa", "#57606a"),
    "warn": ("#fff8c5", "#7d4e00"),
    "name": ("#ddf4ff", "#0550ae"),
}
"""The colours of a line that is no message, by its style: box and text."""


def draw_svg(timeline: Timeline, *, now_us: int = 0) -> str:
    """The whole diagram; loops are folded. `now_us`: deadlines before it have passed."""
    lines = lines_of(timeline, now_us)
    lane = max([_LANE, *(_wide(name) + 16 for name in timeline.lanes)])
    title = f"{timeline.id}  {timeline.protocol}  {timeline.state}".rstrip()
    beside = max((_wide(_builds(spoken)) for spoken in timeline.spoken), default=0)
    width = max(
        _LEFT + lane * max(len(timeline.lanes), 2) + max(beside + 20 - lane // 2, 0),
        _wide(title) + 24,
        *(_LEFT + _wide(line.text) + 48 for line in lines),
    )
    height = _TOP + _ROW * len(lines) + 40
    xs = {name: _LEFT + lane * n + lane // 2 for n, name in enumerate(timeline.lanes)}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="ui-monospace, monospace" font-size="12">',
        f"<title>{_text(timeline.id)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _words(12, 22, title, "#1f2328", bold=True),
    ]
    for name, x in xs.items():
        out.append(f'<line x1="{x}" y1="{_TOP - 20}" x2="{x}" y2="{height - 20}" stroke="#d0d7de"/>')
        out.append(_words(x, _TOP - 28, name, "#0550ae", anchor="middle", bold=True))
    for place, line in enumerate(lines):
        y = _TOP + _ROW * place + _ROW // 2
        if line.mark in (Mark.MESSAGE, Mark.HELD) and line.spoken is not None:
            out += _arrow(line.spoken, y, xs, width, timeline.began_us, held=line.mark is Mark.HELD)
        else:
            out += _note(line, y, width)
    return "\n".join([*out, "</svg>"]) + "\n"


def _arrow(
    spoken: TimelineMessage, y: int, xs: dict[str, int], width: int, began_us: int, *, held: bool
) -> list[str]:
    colour = "#7d4e00" if held else _COLOURS.get(spoken.sign, "#57606a")
    dashed = ' stroke-dasharray="5 3"' if spoken.answers is not None else ""
    start = xs[spoken.sender]
    out = [
        _words(8, y + 4, f"{spoken.number:>3} +{span((spoken.at_us - began_us) / 1e6)}", "#57606a"),
    ]
    for name in spoken.receivers:
        end = xs[name]
        if end == start:
            out.append(
                f'<path d="M{start} {y - 4} h26 v10 h-20" fill="none" stroke="{colour}"{dashed}/>'
                f'<path d="M{start + 8} {y + 2} l-7 4 l7 4" fill="{colour}"/>'
            )
            continue
        tip = end - 8 if end > start else end + 8
        out.append(f'<line x1="{start}" y1="{y}" x2="{tip}" y2="{y}" stroke="{colour}"{dashed}/>')
        out.append(f'<path d="M{end} {y} L{tip} {y - 4} L{tip} {y + 4} Z" fill="{colour}"/>')
    ends = [xs[name] for name in spoken.receivers] or [start]
    low, high = min(start, *ends), max(start, *ends)
    head = " ".join(("⏸" if held else spoken.sign, spoken.act, *spoken.delays, *spoken.due))
    text = f"{head} {cut(spoken.text, _WORDS)}".rstrip()
    # over its arrow, but neither before the lanes nor behind them
    half = _wide(text) // 2
    middle = max(min((low + high) // 2, width - 8 - half), _LEFT + half)
    out.append(_words(middle, y - 6, text, colour, anchor="middle"))
    builds = _builds(spoken)
    if builds:
        out.append(_words(high + (34 if high == low else 6), y + 4, builds, "#8c959f"))
    return out


def _note(line: Line, y: int, width: int) -> list[str]:
    sign, style = SIGNS[line.mark]
    fill, colour = _NOTES[style]
    return [
        f'<rect x="{_LEFT}" y="{y - 13}" width="{width - _LEFT - 12}" height="22" rx="4" fill="{fill}"/>',
        _words(_LEFT + 8, y + 3, f"{sign} {line.text}", colour),
    ]


def _builds(spoken: TimelineMessage) -> str:
    """The revisions that handled it, each once."""
    return " ".join(dict.fromkeys(turn.revision for turn in spoken.turns if turn.revision))


def _wide(text: str) -> int:
    """Pixels that a text takes."""
    return round(cell_len(text) * _CELL)


def _words(x: int, y: int, text: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    # a rim in the colour of the page keeps lanes from going through the letters
    return (
        f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}"{weight} stroke="#ffffff"'
        f' stroke-width="3" paint-order="stroke" unicode-bidi="isolate">{_text(text)}</text>'
    )


def _text(text: str) -> str:
    """What an XML document may hold: lone surrogates and control characters are escapes before they come here."""
    return escape(text, {'"': "&quot;"})
