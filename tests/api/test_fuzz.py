"""Every route with requests at random finds nothing but what the written list allows; `just api-fuzz` asks more."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="it came with a later extra dev: install that again")

from access.asking import api

from api.fuzzing import complaints


def test_no_route_answers_what_its_description_does_not_say(tmp_path: Path) -> None:
    with api(tmp_path, "echo") as served:
        assert list(complaints(served, many=1, every=3)) == []
