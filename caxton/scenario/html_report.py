"""Results as a page for people: one file that needs no other, with the diagrams inside.

In: results. Out: HTML without scripts. Nothing that an agent said is read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from caxton.presentation.text import plural, safe, span
from caxton.scenario.coverage import Exercised
from caxton.scenario.result import Result

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: #1a7f37; } .other { color: #cf222e; font-weight: 600; }
@media (prefers-color-scheme: dark) { .passed { color: #3fb950; } .other { color: #ff7b72; } }
code, pre { font: 13px/1.35 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { overflow-x: auto; border: 1px solid #8884; border-radius: 6px; padding: .8rem; }
h2 { margin-top: 2.5rem; font-size: 1.1rem; }
"""


def page(results: Sequence[Result], taken: Exercised | None = None) -> str:
    """All of them in a table, what did not pass in full, and what was exercised where that is known."""
    failed = [one for one in results if not one.passed]
    counted = f"{len(results) - len(failed)} passed" + (f", {len(failed)} not" if failed else "")
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Scenarios: {counted}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{plural(len(results), 'scenario')}: {counted}</h1>",
        "<table>\n<thead><tr><th>verdict</th><th>scenario</th><th>file</th>"
        '<th class="figure">messages</th><th class="figure">virtual time</th><th class="figure">took</th>'
        '<th class="figure">seed</th><th>journal</th></tr></thead>\n<tbody>',
        *(_row(number, one) for number, one in enumerate(results, 1)),
        "</tbody>\n</table>",
        *(_failure(number, one) for number, one in enumerate(results, 1) if not one.passed),
        *(() if taken is None else map(_table, *zip(*taken.tables(), strict=True))),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _row(number: int, one: Result) -> str:
    name = _text(one.name)
    linked = name if one.passed else f'<a href="#s{number}">{name}</a>'
    figures = (f"{one.messages:,}", span(one.virtual_s), span(one.took_s), str(one.seed))
    cells = "".join(f'<td class="figure">{figure}</td>' for figure in figures)
    return (
        f'<tr><td class="{"passed" if one.passed else "other"}">{_text(one.verdict)}</td>'
        f"<td>{linked}</td><td>{_text(one.path)}</td>"
        f"{cells}<td><code>{one.digest[:12]}</code></td></tr>"
    )


def _failure(number: int, one: Result) -> str:
    lines = [*one.lines(), *([f"hint: {one.hint}"] if one.hint else [])]
    lines.append(f"again: caxton run {one.path} --seed {one.seed}")
    text = "\n".join(escape(safe(line)) for line in lines)
    head = f'<span class="other">{_text(one.verdict)}</span> {_text(one.name)}'
    return f'<h2 id="s{number}">{head}</h2>\n<pre>{text}</pre>'


def _table(heading: str, rows: Sequence[tuple[str, int]]) -> str:
    """Never comes first, as that is what one looks for."""
    lines = "".join(
        f'<tr><td class="figure {"" if times else "other"}">{times or "never"}</td><td>{_text(what)}</td></tr>\n'
        for what, times in sorted(rows, key=lambda row: bool(row[1]))
    )
    return f"<h2>{_text(heading)}</h2>\n<table>\n<tbody>\n{lines}</tbody>\n</table>"


def _text(value: object) -> str:
    return escape(safe(value))
