"""Ask and go on with the answer in the languages that have no `await`: one agent in each, and what comes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from caxton.devloop.builders.toolchains import Found, Missing, asc, cargo_with_target, go
from caxton.devloop.scaffold.generate import Language, new_agent
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, built, runtime

pytestmark = [pytest.mark.system, pytest.mark.timeout(900), pytest.mark.usefixtures("python_runtime")]

ASKERS = Path(__file__).parent / "askers"
FILES = {
    Language.C: "agent.c",
    Language.ZIG: "agent.zig",
    Language.RUST: "src/lib.rs",
    Language.ASSEMBLYSCRIPT: "assembly/index.ts",
    Language.GO: "agent.go",
}
NEEDS: dict[Language, Callable[[Path], Found | Missing]] = {
    Language.RUST: cargo_with_target,
    Language.ASSEMBLYSCRIPT: asc,
    Language.GO: go,
}
PEER = """
def handle(message):
    how = message["content"].get("how", "inform")
    if how == "crash":
        1 / 0
    if how == "agree":
        reply("agree")
        how = "inform"
    if how != "silent":
        reply(how, message["content"].get("n"))
"""
CASES = [
    ({"to": "peer", "n": 5}, ("inform", 5)),
    ({"to": "peer@local", "n": 'a "b" \\'}, ("inform", 'a "b" \\')),
    ({"to": "peer", "how": "refuse"}, ("refuse", None)),
    ({"to": "peer", "how": "agree", "n": 6}, ("inform", 6)),
    ({"to": "peer", "how": "silent"}, (None, None)),
    ({"to": "peer", "how": "crash"}, ("failure", "guest_error")),
    ({"to": "nobody"}, ("failure", "unknown_agent")),
    ({"to": "peer", "ms": 60_000}, ("inform", None)),
]


@pytest.fixture(
    scope="module",
    # compilers that take long are for the long check
    params=[pytest.param(one, marks=[] if one is Language.C else [pytest.mark.long]) for one in FILES],
)
def asker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """The asker in one language, built as `caxton dev` builds it."""
    language: Language = request.param
    folder = tmp_path_factory.mktemp("asker") / "asker"
    found = NEEDS[language](folder) if language in NEEDS else None
    if isinstance(found, Missing):
        pytest.skip(f"{found.what} is not here: {found.remedy}")
    new_agent("asker", language, folder, None)
    shutil.copy(ASKERS / FILES[language].rpartition("/")[2], folder / FILES[language])
    return built(folder)["asker"]


def peers(asker: Agent) -> dict[str, Agent | bytes]:
    return {"asker": asker, "peer": packed(Path("agent.py"), PEER.encode())}


def test_every_end_of_a_question(asker: Agent) -> None:
    with runtime(peers(asker)) as system:
        for number, (content, (act, said)) in enumerate(CASES, 1):
            answer = system.ask(content, to="asker", protocol="fipa-request", reply_with=f"r{number}")
            found = answer["content"]
            about = found["content"]
            assert (found["said"], about["error"] if isinstance(about, dict) else about) == (act, said)
            assert found["context"] == {"asked": number}
            assert (answer["in_reply_to"], answer["protocol"]) == (f"r{number}", "fipa-request")
        # what comes too late is dropped, and a turn that fails has asked nothing
        failed = system.ask({"to": "peer", "then": "fail"}, to="asker")
        assert failed["content"]["reason"].endswith("as it was told")
        system.advance(61)
        assert not system.messages(sender="asker@local", performative="not-understood")
        assert len(system.messages(sender="asker@local", receiver="operator@local")) == len(CASES)
        called_off = [one["content"] for one in system.messages(sender="timer@local", performative="inform")]
        assert called_off.count({"cancelled": 1}) == 1, "the one that was far away"


def test_a_message_that_it_puts_back_comes_after_the_next(asker: Agent) -> None:
    with runtime(peers(asker)) as system:
        system.submit({"to": "peer", "n": "later", "then": "wait"}, to="asker")
        system.submit({"to": "peer", "n": "first"}, to="asker")
        system.until_quiet()
        answers = system.messages(sender="asker@local", receiver="operator@local")
        assert [one["content"]["content"] for one in answers] == ["first", "later"]


def test_open_questions_outlive_a_crash_and_a_new_build(asker: Agent) -> None:
    silent = {"to": "peer", "how": "silent", "ms": 5_000}
    with runtime(peers(asker)) as system:
        system.send(silent, to="asker", conversation_id="one")
        system.deploy("asker", Agent(asker.module + b"\0\3\2v2"))
        system.send(silent, to="asker", conversation_id="two")
        system.crash()
        system.start()
        system.advance(6)
        for number, talk in enumerate(("one", "two"), 1):
            (said,) = system.messages(conversation_id=talk, receiver="operator@local")
            assert said["content"] == {"said": None, "content": None, "context": {"asked": number}}
        assert system.ask({"to": "peer", "n": 3}, to="asker")["content"]["context"] == {"asked": 3}
