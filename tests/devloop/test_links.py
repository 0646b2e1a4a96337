"""Sources and modules behind links: where a link points elsewhere, what is there is built from then on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from caxton.devloop.config_reload import ConfigReloader


def point(link: Path, to: str) -> None:
    """What `ln -sfn` and a checkout do."""
    fresh = link.with_name("fresh")
    fresh.symlink_to(to)
    os.replace(fresh, link)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "agent.c").write_text(version)
    (tmp_path / "p").mkdir()
    point(tmp_path / "p" / "agent.c", "../one/agent.c")
    point(tmp_path / "p" / "src", "../one")
    return tmp_path / "p"


@pytest.mark.parametrize(
    "table",
    ['wasm = "a.wasm"\nsource = "agent.c"', 'wasm = "a.wasm"\nsource = "src"', 'wasm = "src/agent.wasm"'],
)
def test_a_link_that_points_elsewhere_is_followed(folder: Path, table: str) -> None:
    (folder / "caxton.toml").write_text(f"[agents.a]\n{table}\n")
    configured = ConfigReloader(folder)
    (before,) = configured.targets
    assert before.recipe is not None
    assert before.recipe.folder == folder.parent / "one"
    assert configured.reload() is None
    assert configured.targets == [before]
    point(folder / "agent.c", "../two/agent.c")
    point(folder / "src", "../two")
    assert configured.reload() is None
    (after,) = configured.targets
    assert after.recipe is not None
    assert after.recipe.folder == folder.parent / "two"
    assert after.inputs.changed()
    assert folder.parent / "two" in configured.folders()
