"""Expectations rewritten in place: nothing else of a file changes, and each kind says what is so now."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from caxton.scenario.suite import Settings
from caxton.scenario.updating import update
from caxton.scenario.updating.toml_edit import changed

from .files import ADD, step, written

FILE = '''# keep me
format = 1
[[step]]
send = { receiver = "a", content = { text = """
[[step]]
""" } }

[[step]] # the second
{expect}

[[step]]
expect = { count = 9 }
'''


@pytest.mark.parametrize(
    ("expect", "after"),
    [
        (
            'expect = { filter = "a, } b", count = 1, content = { x = [1, 2] } } # why',
            'expect = { filter = "a, } b", count = 3, fuel = "<=2" } # why',
        ),
        (
            'expect = { count = 1, contents = [ # those\n  1,\n], filter = "x" }',
            'expect = { count = 3, contents = [ # those\n  1,\n], filter = "x", fuel = "<=2" }',
        ),
        (
            "[step.expect]\ncount = 1   # one\ncontent = 'x'\nfilter = \"y\"",
            '[step.expect]\ncount = 3   # one\nfilter = "y"\nfuel = "<=2"',
        ),
        (
            'expect.filter = "x"\nexpect.content.x = 1\nexpect.count = 1',
            'expect.filter = "x"\nexpect.content.x = 1\nexpect.count = 3\nexpect.fuel = "<=2"',
        ),
        ("expect = { content = 1, count = 1 }", 'expect = { count = 3, fuel = "<=2" }'),
    ],
)
def test_one_table_of_a_file_changes(expect: str, after: str) -> None:
    text = FILE.replace("{expect}", expect)
    new = changed(text, 1, "expect", {"count": "3", "content": None, "fuel": '"<=2"'})
    assert new == FILE.replace("{expect}", after)
    assert tomllib.loads(new)["step"][1]["expect"]["count"] == 3


def said(expect: str) -> str:
    """An expectation of the counter's answer, as a step."""
    return step(expect=expect)


@pytest.mark.parametrize(
    ("expect", "now"),
    [
        ("{ filter = 'from:counter', content = { count = 3 } }", {"content": {"count": 2}}),
        ("{ filter = 'from:counter', path = { count = 3 } }", {"path": {"count": 2}}),
        (
            "{ filter = 'from:counter', path = { count = { approx = 9, by = 1 } } }",
            {"path": {"count": {"approx": 2, "by": 1}}},
        ),
        ("{ filter = 'from:counter', contents = [{ any = true }, 1] }", {"contents": [{"any": True}]}),
        ("{ filter = 'from:counter', count = 2 }", {"count": 1}),
        ("{ filter = 'from:counter', pattern = 'ten', count = 1 }", {"pattern": None}),
        ("{ filter = 'act:refuse', content = 1 }", {"count": 0, "content": None}),
        ("{ filter = 'act:request', fuel = '<=1' }", {}),
        ("{ order = ['act:inform', 'act:request', 'act:refuse'] }", {"order": ["act:request", "act:inform"]}),
        ("{ violations = 1, dead_letters = 2 }", {"violations": 0, "dead_letters": 0}),
        ("{ conversation = 'step-1', state = 'Failed' }", {}),
    ],
)
def test_each_expectation_says_what_is_so(tmp_path: Path, expect: str, now: dict[str, Any]) -> None:
    file = written(tmp_path, ADD + said(expect))
    updated = update(file, Settings())
    if expect.startswith("{ conversation"):
        # it is not judged, so no other state can be said
        assert not updated.result.passed
        return
    assert updated.result.passed, "\n".join(updated.result.lines())
    assert updated.steps == 1
    expected = tomllib.loads(updated.text)["step"][1]["expect"]
    for key, value in now.items():
        assert expected.get(key) == value
    assert file.text != updated.text


def test_what_passes_stays_and_what_does_not_come_still_fails(tmp_path: Path) -> None:
    fine = written(tmp_path, ADD + said("{ filter = 'from:counter', path = { count = 2 } }"))
    assert update(fine, Settings()).text == fine.text
    never = written(tmp_path, ADD + step(wait="{ filter = 'act:refuse' }"))
    updated = update(never, Settings())
    assert updated.text == never.text
    assert not updated.result.passed
