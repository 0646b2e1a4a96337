"""What an install of Caxton brings along, as a bill of materials (CycloneDX 1.6, JSON).

In: the environment that this Python belongs to. Out: one document on standard output, or in the file that is named: the
distribution, and every package that it needs at run time with version and licence, found by their own metadata.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "caxton-workbench"


def needed(name: str) -> dict[str, Distribution]:
    """The distribution and all that it needs, by name; what markers leave out on this machine is left out."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        one = canonicalize_name(waiting.pop())
        if one in found:
            continue
        found[one] = distribution(one)
        for text in found[one].requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def bill(name: str = NAME) -> dict[str, Any]:
    """The document; the same for the same environment."""
    found = needed(name)
    own = found.pop(canonicalize_name(name))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", **_component(name, own)}},
        "components": [{"type": "library", **_component(*one)} for one in sorted(found.items())],
        "dependencies": [
            {"ref": _ref(name, own), "dependsOn": [_ref(*one) for one in sorted(found.items())]}
        ],
    }


def _component(name: str, of: Distribution) -> dict[str, Any]:
    licence = of.metadata.json.get("license_expression")
    return {
        "bom-ref": _ref(name, of),
        "name": name,
        "version": of.version,
        "purl": _ref(name, of),
        **({"licenses": [{"expression": licence}]} if licence else {}),
    }


def _ref(name: str, of: Distribution) -> str:
    return f"pkg:pypi/{name}@{of.version}"


if __name__ == "__main__":
    text = json.dumps(bill(), indent=1) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
