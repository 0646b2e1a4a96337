"""The example `sensors`: a stream of 50 Hz, topics, a debounce."""

from __future__ import annotations

import pytest

from caxton.testing import runtime
from testing.orders import EXAMPLES

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]


def test_sensors_are_shown_and_the_alarm_does_not_chatter() -> None:
    with runtime(EXAMPLES / "sensors") as system:
        system.advance(0.51)
        shown = system.ask("?", to="panel")["content"]
        assert shown["shown"] == {"sensors/kitchen": 20.0, "sensors/cellar": 11.0}
        assert 45 <= shown["heard"] <= 51
        for celsius in (25, 20, 25):
            system.ask({"heat": celsius}, to="kitchen")
            system.advance(0.1)
        assert system.ask("?", to="alarm")["content"] == []
        system.crash()
        system.start()
        system.advance(0.6)
        assert system.ask("?", to="alarm")["content"] == [["topic:sensors/kitchen", True]]
        assert system.ask("off", to="kitchen", x_priority="urgent")["content"] == "off"
        system.advance(0.05)
        before = len(system.messages(sender="kitchen@local", performative="inform"))
        system.advance(0.2)
        assert len(system.messages(sender="kitchen@local", performative="inform")) == before
        assert not system.rows()["dead_letter"]
