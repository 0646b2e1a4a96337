"""Reading a protocol's table (TOML).

In: text and a name for it. Out: a `Protocol` whose table was checked, or a ConfigurationError that names the file,
the line and the remedy. `docs/protocols.md` explains the form.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, TypeGuard, cast

from caxton.acl.performative import Performative
from caxton.errors import ConfigurationError
from caxton.protocols import protocol as known
from caxton.protocols.protocol import End, Phase, Protocol, Role, State, Step
from caxton.protocols.rules import RULES
from caxton.protocols.soundness import check
from caxton.protocols.toml_lines import Lines

NEEDS: Final = ("past-deadline", "a-bid", "sole-award", "no-award", "this-round", "leader")
"""Conditions across branches that a step may have."""
TIME_TO_LIVE_S: Final = 300
"""The architecture document's."""

_KEYS: Final = (
    "name",
    "names",
    "title",
    "document",
    "says",
    "cancel",
    "time_to_live_s",
    "states",
    "sub",
    "table",
)
_STATE_KEYS: Final = ("phase", "end", "deadline", "served")
_FLAGS: Final = ("round", "bid", "award", "relay", "reopens")
_TEXTS: Final = ("rule", "ignored", "reason", "warning", "note", "answer")
_STEP_KEYS: Final = ("from", "by", "act", "to", "needs", *_FLAGS, *_TEXTS)
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_STATE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_RESERVED: Final = frozenset(
    {known.START, known.CANCELLING, known.STAY, known.NO_DEADLINE, *known.UNIVERSAL_STATES}
)


def read_table(text: str, where: str) -> Protocol:
    """Read and check one table.

    Raises ConfigurationError naming `where` and the line.
    """
    return _Reader(text, where).protocol()


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.lines = Lines(text)
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{where} is not TOML: {error}") from None

    def refuse(self, line: int, message: str, hint: str | None = None) -> NoReturn:
        raise ConfigurationError(f"{self.where} line {line}: {message}", hint=hint, line=line)

    def protocol(self) -> Protocol:
        data = self.data
        self._known(data, _KEYS, lambda key: self.lines.key(key), "a table")
        name = self._text(data, "name", required=True)
        if _TOKEN.fullmatch(name) is None:
            self.refuse(
                self.lines.key("name"), f"{name[:80]!r} is no protocol name", "letters, digits, . _ -"
            )
        names = tuple(self._strings(data.get("names", []), self.lines.key("names"), "names"))
        idle_s = data.get("time_to_live_s", TIME_TO_LIVE_S)
        if isinstance(idle_s, bool) or not isinstance(idle_s, int | float) or not 0 <= idle_s <= 1e9:
            self.refuse(
                self.lines.key("time_to_live_s"), "time_to_live_s is a number of seconds, 0 for no end"
            )
        cancel = data.get("cancel", True)
        if not isinstance(cancel, bool):
            self.refuse(self.lines.key("cancel"), "cancel is true or false")
        states = self._states()
        steps = tuple(self._steps(states))
        sub = self._table(data.get("sub", {}), self.lines.key("sub"), "sub")
        self._known(sub, ("begins_in", "answers_asker"), lambda key: self.lines.key(key, "sub"), "sub")
        line = self.lines.key("begins_in", "sub")
        serves_in = frozenset(self._strings(sub.get("begins_in", []), line, "begins_in"))
        for state in sorted(serves_in - set(states)):
            self._no_state(state, states, line)
        check(states, steps, self.lines, self.refuse)
        return known.build(
            name=name.lower(),
            names=tuple(other.lower() for other in names),
            title=self._text(data, "title") or name,
            document=self._text(data, "document"),
            says=self._text(data, "says"),
            cancel=cancel,
            time_to_live_us=int(idle_s * 1_000_000),
            states=states,
            steps=steps,
            serves_in=serves_in,
            answers_asker=sub.get("answers_asker", False) is True,
            text=self.text,
        )

    def _states(self) -> dict[str, State]:
        found: dict[str, State] = {}
        table = self._table(self.data.get("states"), self.lines.key("states"), "states")
        for name, value in table.items():
            line = self.lines.key(name, "states")
            if _STATE.fullmatch(name) is None:
                self.refuse(line, f"{name[:80]!r} is no state name", "a-z 0-9 - and a letter first")
            if name in _RESERVED:
                self.refuse(line, f"{name!r} is a state that every protocol has", "choose another name")
            body = self._table(value, line, name)
            self._known(body, _STATE_KEYS, line, f"state {name!r}")
            end = self._one_of(End, body.get("end"), line, "end")
            phase = self._one_of(Phase, body.get("phase"), line, "phase")
            if (end is None) == (phase is None):
                self.refuse(line, f"state {name!r} needs either a phase or an end")
            deadline = body.get("deadline", known.NO_DEADLINE if end else known.TIMED_OUT)
            if end is not None and deadline != known.NO_DEADLINE:
                self.refuse(line, f"state {name!r} is an end and waits for nothing", "leave deadline out")
            found[name] = State(name, phase or Phase.COMPLETE, end, deadline, body.get("served"))
        for state in found.values():
            line = self.lines.key(state.name, "states")
            for target in (state.deadline, state.served):
                if target in (None, known.STAY, known.NO_DEADLINE, known.TIMED_OUT):
                    continue
                if target not in found:
                    self._no_state(str(target), found, line)
                if found[target].end is None:
                    self.refuse(line, f"state {state.name!r} goes on to {target!r}, which is no end")
        return found

    def _steps(self, states: dict[str, State]) -> Iterable[Step]:
        table = self._table(self.data.get("table"), self.lines.key("table"), "table")
        self._known(table, ("steps",), lambda key: self.lines.key(key, "table"), "table")
        rows = table.get("steps")
        if not _is_list(rows) or not rows:
            self.refuse(
                self.lines.key("steps"), "the table has no steps", "steps = [ { from = …, by = … }, … ]"
            )
        for number, row in enumerate(rows):
            yield from self._step(
                self._table(row, self.lines.step(number), "a step"), states, self.lines.step(number)
            )

    def _step(self, row: dict[str, Any], states: dict[str, State], line: int) -> Iterable[Step]:
        self._known(row, _STEP_KEYS, line, "a step")
        for key in ("from", "by", "act", "to"):
            if key not in row:
                self.refuse(line, f"the step has no {key!r}", "from, by, act and to are needed")
        by = self._one_of(Role, row["by"], line, "by")
        assert by is not None
        acts = [self._act(act, line) for act in self._strings(row["act"], line, "act")]
        sources = self._strings(row["from"], line, "from")
        to = row["to"]
        for state in [*sources, to]:
            if state not in states and not (state == known.START and state != to):
                self._no_state(str(state), states, line)
        needs = tuple(self._strings(row.get("needs", []), line, "needs"))
        for need in needs:
            if need not in NEEDS:
                self.refuse(line, f"there is no condition {need[:80]!r}", "one of " + ", ".join(NEEDS))
        for flag in _FLAGS:
            if not isinstance(row.get(flag, False), bool):
                self.refuse(line, f"{flag} is true or false")
        for key in _TEXTS:
            if not isinstance(row.get(key, ""), str):
                self.refuse(line, f"{key} is a text")
        for key in ("rule", "ignored"):
            if row.get(key, "step") not in RULES:
                self.refuse(line, f"there is no rule {row[key][:80]!r}", "docs/protocols.md lists the rules")
        answer = self._act(row["answer"], line) if "answer" in row else None
        for source in sources:
            for act in acts:
                yield Step(
                    source, by, act, to, needs,
                    round=row.get("round", False), bid=row.get("bid", False), award=row.get("award", False),
                    relay=row.get("relay", False), reopens=row.get("reopens", False),
                    ignored=row.get("ignored"), rule=row.get("rule", "step"), answer=answer,
                    reason=row.get("reason"), warning=row.get("warning"), note=row.get("note", ""), line=line,
                )  # fmt: skip

    def _act(self, text: str, line: int) -> Performative:
        try:
            return Performative(text)
        except ValueError:
            near = difflib.get_close_matches(text, [act.value for act in Performative], 1)
            hint = f"did you mean {near[0]!r}?" if near else "the 22 acts of FIPA00037"
            self.refuse(line, f"{text[:80]!r} is not a FIPA performative", hint)

    def _no_state(self, state: str, states: dict[str, State], line: int) -> NoReturn:
        near = difflib.get_close_matches(state, states, 1)
        self.refuse(
            line,
            f"there is no state {state[:80]!r}",
            f"did you mean {near[0]!r}?" if near else "add it to [states]",
        )

    def _known(
        self, table: dict[str, Any], keys: tuple[str, ...], line: Callable[[str], int] | int, what: str
    ) -> None:
        for key in table:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(keys)
                self.refuse(
                    line if isinstance(line, int) else line(key), f"{what} has no key {key[:80]!r}", hint
                )

    def _one_of(self, kind: Any, value: Any, line: int, what: str) -> Any:
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            self.refuse(line, f"{what} cannot be {str(value)[:80]!r}", "one of " + ", ".join(kind))

    def _text(self, table: dict[str, Any], key: str, required: bool = False) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or (required and not value):
            self.refuse(self.lines.key(key), f"{key} is missing or no text")
        return value

    def _table(self, value: Any, line: int, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.refuse(line, f"{what} is missing or no table")
        return cast("dict[str, Any]", value)

    def _strings(self, value: Any, line: int, what: str) -> list[str]:
        if isinstance(value, str):
            return [value]
        items: list[Any] = value if _is_list(value) else [None]
        if not all(isinstance(item, str) for item in items):
            self.refuse(line, f"{what} is a text or a list of texts")
        return cast("list[str]", items)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
