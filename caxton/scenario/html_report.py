"""Results as a page for people: one file that needs no other, with the diagrams inside.

In: results. Out: HTML without scripts. Nothing that an agent said is read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from caxton.presentation.html_document import document, escaped
from caxton.presentation.text import plural, span
from caxton.scenario.coverage import Exercised
from caxton.scenario.result import Result


def page(results: Sequence[Result], taken: Exercised | None = None) -> str:
    """All of them in a table, what did not pass in full, and what was exercised where that is known."""
    failed = [one for one in results if not one.passed]
    counted = f"{len(results) - len(failed)} passed" + (f", {len(failed)} not" if failed else "")
    parts = [
        f"<h1>{plural(len(results), 'scenario')}: {counted}</h1>",
        "<table>\n<thead><tr><th>verdict</th><th>scenario</th><th>file</th>"
        '<th class="figure">messages</th><th class="figure">virtual time</th><th class="figure">took</th>'
        '<th class="figure">seed</th><th>journal</th></tr></thead>\n<tbody>',
        *(_row(number, one) for number, one in enumerate(results, 1)),
        "</tbody>\n</table>",
        *(_failure(number, one) for number, one in enumerate(results, 1) if not one.passed),
        *(() if taken is None else map(_table, *zip(*taken.tables(), strict=True))),
    ]
    return document(f"Scenarios: {counted}", "\n".join(parts))


def _row(number: int, one: Result) -> str:
    name = escaped(one.name)
    linked = name if one.passed else f'<a href="#s{number}">{name}</a>'
    figures = (f"{one.messages:,}", span(one.virtual_s), span(one.took_s), str(one.seed))
    cells = "".join(f'<td class="figure">{figure}</td>' for figure in figures)
    return (
        f'<tr><td class="{"passed" if one.passed else "other"}">{escaped(one.verdict)}</td>'
        f"<td>{linked}</td><td>{escaped(one.path)}</td>"
        f"{cells}<td><code>{one.digest[:12]}</code></td></tr>"
    )


def _failure(number: int, one: Result) -> str:
    lines = [*one.lines(), *([f"hint: {one.hint}"] if one.hint else [])]
    lines.append(f"again: caxton run {one.path} --seed {one.seed}")
    text = "\n".join(map(escaped, lines))
    head = f'<span class="other">{escaped(one.verdict)}</span> {escaped(one.name)}'
    return f'<h2 id="s{number}">{head}</h2>\n<pre>{text}</pre>'


def _table(heading: str, rows: Sequence[tuple[str, int]]) -> str:
    """Never comes first, as that is what one looks for."""
    lines = "".join(
        f'<tr><td class="figure {"" if times else "other"}">{times or "never"}</td><td>{escaped(what)}</td></tr>\n'
        for what, times in sorted(rows, key=lambda row: bool(row[1]))
    )
    return f"<h2>{escaped(heading)}</h2>\n<table>\n<tbody>\n{lines}</tbody>\n</table>"
