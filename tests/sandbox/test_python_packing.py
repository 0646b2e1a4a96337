"""A Python agent as a module: what is packed comes out, anything else is refused or is something else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton.errors import InvalidModule
from caxton.sandbox.compile.precheck import check_head
from caxton.sandbox.compile.python_source import HEAD_BYTES, SOURCE_CEILING, is_python, pack, unpack

NAME = "0" * 64


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
def test_what_is_packed_comes_out(source: str) -> None:
    module = pack(source.encode(), "some/where/agent.py", NAME)
    check_head(module)
    assert is_python(module[:HEAD_BYTES])
    found = unpack(module)
    assert found is not None
    assert (found.file, found.runtime) == ("agent.py", NAME)
    assert found.source == source.removeprefix("\ufeff")


def test_a_revision_is_its_source_and_its_runtime() -> None:
    modules = [
        pack(b"x = 1", "agent.py", NAME),
        pack(b"x = 2", "agent.py", NAME),
        pack(b"x = 1", "agent.py", "1" * 64),
    ]
    assert len({hashlib.sha256(module).digest() for module in modules}) == 3
    assert pack(b"x = 1", "agent.py", NAME) == modules[0]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"x = 1\ny = '\xff'\n", "agent.py:2: the source is not UTF-8"),
        (b"\0", "null character"),
        (b"#" * (SOURCE_CEILING + 1), "1,048,577 bytes"),
    ],
)
def test_what_is_no_source_is_refused(source: bytes, says: str) -> None:
    with pytest.raises(InvalidModule, match=says):
        pack(source, "agent.py", NAME)


@given(st.binary(max_size=64))
def test_other_bytes_are_no_python_agent(tail: bytes) -> None:
    assert unpack(tail) is None
    head = b"\0asm\1\0\0\0\0"
    if not is_python(head + tail):
        assert unpack(head + tail) is None


@given(st.integers(min_value=1), st.binary(min_size=1, max_size=8))
def test_one_that_is_cut_off_or_longer_is_refused(cut: int, more: bytes) -> None:
    module = pack(b"def handle(message): pass", "agent.py", NAME)
    assert unpack(module + b"\0\3\2v2") is not None, "another edition of the same"
    for damaged in (module + b"\1" + more, module[: -1 - cut % (len(module) - HEAD_BYTES)]):
        with pytest.raises(InvalidModule, match="cut off"):
            unpack(damaged)


def test_a_section_that_holds_something_else_is_refused() -> None:
    module = bytearray(pack(b"x = 1", "agent.py", NAME))
    module[-1] = ord("x")
    with pytest.raises(InvalidModule, match="cannot be read"):
        unpack(bytes(module))
