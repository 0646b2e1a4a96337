"""Results as other programs read them: JUnit's XML, and GitHub's workflow commands.

In: results. Out: text.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from caxton.presentation.text import safe
from caxton.scenario.result import Result, Verdict


def junit(results: Sequence[Result]) -> str:
    """One test suite; GitHub, GitLab and Jenkins read it."""
    failed = [one for one in results if one.verdict not in (Verdict.PASSED, Verdict.BROKEN)]
    broken = [one for one in results if one.verdict is Verdict.BROKEN]
    took_s = sum(one.took_s for one in results)
    counts = f'tests="{len(results)}" failures="{len(failed)}" errors="{len(broken)}" time="{took_s:.3f}"'
    cases = "".join(map(_case, results))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites {counts}>\n<testsuite name="caxton" {counts}>\n{cases}</testsuite>\n</testsuites>\n'
    )


def _case(one: Result) -> str:
    head = (
        f"<testcase classname={_attribute(one.path)} name={_attribute(one.name)} file={_attribute(one.path)}"
    )
    head += f' time="{one.took_s:.3f}"'
    if one.passed:
        return f"{head}/>\n"
    kind = "error" if one.verdict is Verdict.BROKEN else "failure"
    text = escape("\n".join(map(safe, one.lines())))
    opened = f"<{kind} type={_attribute(one.verdict)} message={_attribute(one.what)}>"
    return f"{head}>\n{opened}{text}</{kind}>\n</testcase>\n"


def _attribute(value: object) -> str:
    return quoteattr(safe(value))


def github(one: Result) -> str:
    """An annotation at the step that failed; empty for one that passed."""
    if one.passed:
        return ""
    place = f"file={_property(str(one.path))}" + (f",line={one.line}" if one.line else "")
    text = "%0A".join(_data(safe(line)) for line in one.lines())
    return f"::error {place},title={_property(f'{one.name}: {one.verdict}')}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")
