"""What the world answers in a scenario: what was recorded, and nothing else.

In: `[[answer]]` and `[offer]` of a scenario. Out: for each agent of the project that stands for the world, a function
in the place of its process. The same question has the same answer; one that was not recorded fails.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from caxton import exact_numbers
from caxton.config import Config
from caxton.effects.http.vocabulary import as_line
from caxton.effects.http.vocabulary import read_request as read_http
from caxton.effects.models.agent import MODEL_AGENT
from caxton.effects.models.vocabulary import read_request as read_model
from caxton.errors import InvalidMessage
from caxton.scenario.format import Answer, Scenario
from caxton.simulation.effects import Effect

Json = dict[str, Any]


def world(scenario: Scenario, config: Config) -> dict[str, Effect]:
    """By the names of the project's agents that stand for the world; those of which the scenario says nothing are
    `unavailable`."""
    named = {*scenario.offer, *(one.agent for one in scenario.answer)}
    return {
        name: RecordedEffect(
            name, [one for one in scenario.answer if one.agent == name], scenario.offer.get(name)
        )
        for name in config.outward()
        if name in named
    }


class RecordedEffect:
    """One of them. The answers to a question that was asked several times come in their order; the last one stays."""

    def __init__(self, name: str, answers: Sequence[Answer], tools: Sequence[Any] | None) -> None:
        self.about: Json | None = None if tools is None else {"tools": tools}
        self._name = name
        self._answers: list[tuple[Any, deque[Answer]]] = []
        for one in answers:
            asked = _process_asked(name, one.request)
            known = next((queue for other, queue in self._answers if other == asked), None)
            if known is None:
                known = deque[Answer]()
                self._answers.append((asked, known))
            known.append(one)

    def __call__(self, call: Json) -> Json:
        """The answer to a call."""
        asked = call["request"]
        for known, queue in self._answers:
            if _is_same(known, asked):
                answer = queue.popleft() if len(queue) > 1 else queue[0]
                return {answer.act: exact_numbers.builtins(answer.content)}
        reason = f"the scenario has no answer of {self._name} to this: add an [[answer]], or record it anew"
        return {"failure": {"error": "not-recorded", "reason": reason}}


def _process_asked(name: str, content: Any) -> Any:
    """What the process behind an agent is asked where the agent is asked that."""
    line = exact_numbers.encode(content)
    try:
        if name == MODEL_AGENT:
            return msgspec.to_builtins(read_model(line))
        if name.startswith("http."):
            return msgspec.to_builtins(as_line(read_http(line)))
    except InvalidMessage:
        pass
    return content


def _is_same(known: Any, asked: Any) -> bool:
    """Whether a process is asked that; what the agent of models adds where it was left out does not count."""
    match known, asked:
        case {"messages": _, **more}, {"messages": _, **fields}:
            added = {key: fields[key] for key in ("model", "max_tokens") if key in fields and key not in more}
            return bool({**known, **added} == asked)
        case _:
            return bool(known == asked)
