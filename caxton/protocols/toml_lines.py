"""On which line of a TOML file something stands, which tomllib does not tell.

In: text that tomllib has read without complaint. Out: line numbers from 1; where a thing cannot be found, the line
of the table that it belongs to.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*\[+\s*([^\]]+?)\s*\]+")
_TOKENS = re.compile(r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'" r"|#[^\n]*|[\[\]{}\n]")


class Lines:
    """Finds keys and steps."""

    def __init__(self, text: str) -> None:
        self._keys: dict[tuple[str, str], int] = {}
        self._steps: list[int] = []
        section, inside_steps = "", False
        for number, line in enumerate(text.splitlines(), 1):
            header = _HEADER.match(line)
            if header is not None and not inside_steps and "=" not in line:
                section = header[1].replace(" ", "")
                if section == "table.steps":
                    self._steps.append(number)
                parent, _, last = section.rpartition(".")
                self._keys.setdefault((parent, last.strip("\"'")), number)
                continue
            if inside_steps:
                inside_steps = line.strip() != "]"
                continue
            key, equals, _ = line.partition("=")
            if equals and not line.lstrip().startswith("#"):
                name = key.strip().strip("\"'")
                self._keys.setdefault((section, name), number)
                if section == "table" and name == "steps":
                    inside_steps = "]" not in line.split("#")[0].rsplit("}", 1)[-1]
                    self._scan(text, number)

    def key(self, name: str, section: str = "") -> int:
        """The line of a key or of a table's heading."""
        return self._keys.get((section, name)) or self._keys.get(("", section)) or 1

    def step(self, number: int) -> int:
        """The line of the step of that number, from 0."""
        return self._steps[number] if number < len(self._steps) else self.key("table")

    def _scan(self, text: str, first: int) -> None:
        """Note where each inline table of the list of steps begins, which starts on line `first`."""
        start = sum(len(line) for line in text.splitlines(keepends=True)[: first - 1])
        line, depth, braces = first, 0, 0
        for token in _TOKENS.finditer(text, start):
            match token[0]:
                case "\n":
                    line += 1
                case "[":
                    depth += 1
                case "]":
                    depth -= 1
                    if depth == 0:
                        return
                case "{":
                    if braces == 0:
                        self._steps.append(line)
                    braces += 1
                case "}":
                    braces -= 1
                case _:
                    pass  # a string or a comment
