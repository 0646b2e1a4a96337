"""The measure of edits: every language that can be built here is built, tried, taken in and answers."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from caxton.bench import edits
from caxton.bench.figures import Figure
from caxton.devloop.builders import toolchains
from caxton.devloop.scaffold.generate import Language
from caxton.install_hint import install_hint
from caxton.sandbox.python.runtime import BUILD, RuntimeFolder, how_to_install

pytestmark = pytest.mark.system

PARTS = ("build", "compile", "gate", "swap")


def _quiet(what: str, part: float) -> None: ...


async def _figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *languages: Language) -> list[Figure]:
    """Two edits of an agent with 3 conversations of 2 turns, in these languages alone."""
    places = edits._PLACES  # pyright: ignore[reportPrivateUsage]
    for name, value in (("EDITS", 2), ("CONVERSATIONS", 3), ("TURNS", 2)):
        monkeypatch.setattr(edits, name, value)
    monkeypatch.setattr(edits, "_PLACES", {one: places[one] for one in languages})
    return await edits.edits(tmp_path, _quiet)


def _is_whole(figures: list[Figure], language: Language) -> None:
    values = {one.name: one.value for one in figures}
    assert set(values) == {f"edit_{language}_{step}_ms" for step in (*PARTS, "total")}
    assert all(value > 0 for value in values.values()), values
    gate = next(one.text for one in figures if one.name == f"edit_{language}_gate_ms")
    # 6 turns, and the one that the first edit was asked for
    assert gate.endswith(": 7 turns the same"), gate


@pytest.mark.parametrize("language", [Language.WAT, Language.C])
async def test_an_edit_is_measured_in_its_parts(
    language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if language is Language.C and find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    _is_whole(await _figures(tmp_path, monkeypatch, language), language)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed")
@pytest.mark.long
async def test_zig_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _is_whole(await _figures(tmp_path, monkeypatch, Language.ZIG), Language.ZIG)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("python_runtime")
async def test_python_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _is_whole(await _figures(tmp_path, monkeypatch, Language.PYTHON), Language.PYTHON)


async def test_what_cannot_be_built_is_a_line_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchains, "find_spec", lambda name: None)  # pyright: ignore[reportUnknownArgumentType]
    monkeypatch.setattr(RuntimeFolder, "is_built", lambda folder: False)  # pyright: ignore[reportUnknownArgumentType]
    figures = await _figures(tmp_path, monkeypatch, Language.C, Language.ZIG, Language.PYTHON)
    assert [one.name for one in figures] == ["edit_c", "edit_zig", "edit_python"]
    assert [one.text.partition("install: ")[2] for one in figures] == [
        *[install_hint("build")] * 2,
        how_to_install(),
    ]


async def test_a_runtime_that_is_only_not_built_yet_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchains, "find_spec", lambda name: object())  # pyright: ignore[reportUnknownArgumentType]
    monkeypatch.setattr(RuntimeFolder, "is_built", lambda folder: False)  # pyright: ignore[reportUnknownArgumentType]
    (figure,) = await _figures(tmp_path, monkeypatch, Language.PYTHON)
    assert figure.text.endswith(BUILD)


async def test_an_edit_that_does_not_build_is_a_line_that_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "LARGEST", 1 << 70)
    (figure,) = await _figures(tmp_path, monkeypatch, Language.WAT)
    assert (figure.name, figure.value) == ("edit_wat", 0.0)
    assert "left out: agent.wat:25:" in figure.text
    assert "constant out of range" in figure.text
