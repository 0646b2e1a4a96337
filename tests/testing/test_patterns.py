"""Pages with agents in Python: all of them run, and what is typed there brings what the page says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from caxton.testing import System, runtime

pytestmark = [pytest.mark.system, pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(\w+) ?([\w.]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    pattern: str
    kind: str
    name: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    for part in page.split("\n### "):
        pattern = part.partition("\n")[0]
        for kind, name, text in FENCE.findall(part):
            yield Block(pattern, kind, name, text)


def write(folder: Path, page: list[Block]) -> None:
    """The page as a project: every agent that no table names is called like its file."""
    tables = [block.text for block in page if block.kind == "toml"]
    for block in page:
        # what has no name is no file of the project, but a part of one elsewhere
        if block.kind == "python" and block.name:
            (folder / block.name).write_text(block.text, "utf-8")
            if f'"{block.name}"' not in "".join(tables):
                tables.append(f'[agents.{block.name.removesuffix(".py")}]\nwasm = "{block.name}"\n')
    (folder / "caxton.toml").write_text("\n".join(tables), "utf-8")


def typed(system: System, line: str) -> None:
    """One line as a person would type it; `# act content` at its end is what comes back."""
    words, _, comes_back = line.partition("    # ")
    command, *rest = shlex.split(words)
    if command == "sleep":
        return system.advance(float(rest[0]))
    assert [command, *rest[:2]] == ["caxton", "msg", "send"], line
    waits = "--wait" in rest
    options = [word for word in rest[2:] if word != "--wait"]
    said: dict[str, Any] = dict(
        zip([word.removeprefix("--") for word in options[::2]], options[1::2], strict=True)
    )
    if "conversation" in said:
        said["conversation_id"] = said.pop("conversation")
    content = json.loads(said.pop("content", "null"))
    if not waits:
        system.send(content, **said)
        return system.advance(0.05)
    answer = system.ask(content, **said)
    act, _, wanted = comes_back.strip().partition(" ")
    got = (answer["performative"], answer.get("content"))
    assert got == (act, json.loads(wanted)), f"{line}\n{answer}"
    return None


def logged(system: System, level: str) -> list[tuple[int, str]]:
    """What agents have logged at that level, and when."""
    rows = system.disk.db.execute("select at_us, body from event where kind = 'log' order by seq").fetchall()
    said = [(at_us, json.loads(body)) for at_us, body in rows]
    return [(at_us, one["message"]) for at_us, one in said if one["level"] == level]


def test_every_pattern_runs_and_does_what_the_page_says(tmp_path: Path) -> None:
    _, *patterns = (DOCS / "patterns.md").read_text("utf-8").split("\n### ")
    page = [block for pattern in patterns for block in blocks(pattern)]
    assert len({block.pattern for block in page}) == len(patterns) >= 30
    for other in ("from-jade.md", "from-spade.md", "from-autogen.md"):
        page += blocks((DOCS / other).read_text("utf-8"))
    write(tmp_path, page)
    with runtime(tmp_path) as system:
        for block in page:
            if block.kind == "sh":
                for line in block.text.splitlines():
                    typed(system, line)
        assert not logged(system, "error")


def test_a_newcomers_agent_begins_by_itself_asks_two_others_and_gives_up_in_time(tmp_path: Path) -> None:
    page = list(blocks((DOCS / "tutorial-python.md").read_text("utf-8")))
    write(tmp_path, page)
    assert len((tmp_path / "scout.py").read_text("utf-8").splitlines()) < 25
    lines = [line for block in page if block.kind == "sh" for line in block.text.splitlines()]
    with runtime(tmp_path) as system:
        for line in lines:
            if line.startswith(("caxton msg send", "sleep")):
                typed(system, line)
        wanted = {"action": "search", "description": {"services": [{"type": "best-price"}]}}
        (found,) = system.ask(wanted, to="df")["content"]["result"]
        assert found["name"] == "scout@local"
        asked = system.messages(sender="scout@local", receiver="west@local")
        apart = {round((b["timestamp"] - a["timestamp"]) / 1e6) for a, b in pairwise(asked)}
        assert apart == {1}
        assert not logged(system, "warning")
    toml = tmp_path / "caxton.toml"
    toml.write_text(toml.read_text().replace("price = 35, open = true", "price = 35, open = false"), "utf-8")
    with runtime(tmp_path) as system:
        system.advance(1.6)
        (question,) = system.messages(sender="scout@local", receiver="west@local")
        ((at_us, said),) = logged(system, "warning")
        assert said == "west did not answer in time"
        assert 300_000 <= at_us - question["timestamp"] < 320_000
        assert system.ask(to="scout", performative="query-ref")["performative"] == "inform", "it goes on"
