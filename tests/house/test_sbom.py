"""The bill of materials names what an install needs, and nothing of the developers' own."""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import requires, version

from .source import ROOT


def test_the_bill_names_every_dependency_with_its_version() -> None:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    sbom = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sbom)
    bill = sbom.bill()
    listed = {one["name"]: one["version"] for one in bill["components"]}
    # of what is installed, which an older checkout's metadata may describe
    needed = [one for one in requires(sbom.NAME) or () if "extra ==" not in one]
    names = {re.split(r"[<>=~;\[ ]", one)[0] for one in needed}
    assert len(names) > 15
    assert names <= set(listed)
    assert all(listed[name] == version(name) for name in names)
    assert not {"pytest", "mypy", "ruff", "rotel"} & set(listed)
    # every reference leads somewhere
    (of_own,) = bill["dependencies"]
    assert set(of_own["dependsOn"]) == {one["bom-ref"] for one in bill["components"]}
