"""`df` and `ams` in FIPA SL0, as JADE and the FIPA documents write it: understood, and answered in kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bus.asking import told, violations
from bus.harness import Stand, stand
from hypothesis import given

from caxton.platform_agents.content_languages import JSON, Sl0Content
from caxton.platform_agents.vocabulary import Function, Json, ManagementRequest, Reading

from .test_directory import DESCRIPTIONS

ACTOR = "(agent-identifier :name df@local)"
ANN = "(agent-identifier :name ann@local)"
DESCRIPTION = (
    f"(df-agent-description :name {ANN} :services (set (service-description :name books :type selling "
    ":properties (set (property :name price :value 40) (property :name used :value true) "
    '(property :name note :value "two words")))) :protocols (set fipa-request))'
)


async def said(runtime: Stand, content: str, **more: Any) -> tuple[str, str]:
    answer = await told(runtime, "df", content, language="fipa-sl0", ontology="FIPA-Agent-Management", **more)
    assert (answer["language"], answer["ontology"]) == ("fipa-sl0", "FIPA-Agent-Management")
    return answer["performative"], answer["content"]


async def test_register_search_and_deregister(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        register = f"(action {ACTOR} (register {DESCRIPTION}))"
        assert await said(runtime, f"({register})") == ("inform", f"((done {register}))")
        assert await said(runtime, f"({register})") == ("failure", f"({register} already-registered)")
        search = (
            f"(action {ACTOR} (search (df-agent-description :services (set (service-description "
            ":type selling :properties (set (property :name price :value 40) (property :name used :value true))"
            "))) (search-constraints :max-results -1)))"
        )
        found = ("inform", f"((result {search} (sequence {DESCRIPTION})))")
        assert await said(runtime, f"({search})") == found
        assert (
            await said(runtime, search.replace("action", "ACTION").replace("search (", "SEARCH (")) == found
        )
        in_json = {"action": "search", "description": {"services": [{"properties": {"used": True}}]}}
        (entry,) = (await told(runtime, "df", in_json))["content"]["result"]
        assert entry["services"][0]["properties"][2] == {"name": "note", "value": "two words"}
        leave = f"(action {ACTOR} (deregister (df-agent-description :name {ANN})))"
        assert await said(runtime, f"({leave})") == ("inform", f"((done {leave}))")
        assert await violations(runtime) == []


async def test_a_lease_is_a_date_time(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.rings.stands_at_us = 1_700_000_000_000_000
        runtime.agent("ann")
        for lease in ("+00000000T000100000", "20231114T221420000Z"):
            wish = f"((action df (register (df-agent-description :name ann :lease-time {lease}))))"
            assert (await said(runtime, wish))[0] == "inform"
            found = await said(runtime, "((action df (search (df-agent-description :name ann))))")
            assert ":lease-time 20231114T221420000Z)" in found[1]
            leave = "((action df (deregister (df-agent-description :name ann))))"
            assert (await said(runtime, leave))[0] == "inform"


async def test_a_subscription_as_jade_writes_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        search = (
            f"(action {ACTOR} (search (df-agent-description :services (set (service-description :type selling)))"
            " (search-constraints :max-results -1)))"
        )
        iota = f"(iota ?x (result {search} ?x))"
        more: Json = {"act": "subscribe", "protocol": "fipa-subscribe", "conversation_id": "talk"}
        assert await said(runtime, f"({iota})", **more) == ("inform", f"((= {iota} (sequence)))")
        await told(runtime, "df", f"((action {ACTOR} (register {DESCRIPTION})))")
        rows = [one for one in await runtime.messages() if one["conversation_id"] == "talk"]
        assert rows[-1]["content"] == f"((= {iota} (sequence {DESCRIPTION})))"
        more |= {"act": "cancel", "reply_with": "c-1"}
        assert await said(runtime, "", **more) == ("inform", f"((done (action {ACTOR} (cancel))))")
        assert await violations(runtime) == []


async def test_without_a_language_a_string_in_brackets_is_sl0(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        answer = await told(runtime, "df", "((action df (search (df-agent-description))))")
        assert answer["content"] == (
            f"((result (action {ACTOR} (search (df-agent-description))) (sequence)))"
        )
        assert "language" not in answer


DECLINED = [
    ("((action df (register)))", "refuse", "(missing-argument)"),
    ("((action df fly))", "refuse", "((unsupported-function fly))"),
    (
        "((action df (register (df-agent-description))))",
        "refuse",
        f"((action {ACTOR} (register (df-agent-description))) (missing-parameter df-agent-description name))",
    ),
    (
        "((action df (register (df-agent-description :nom a))))",
        "refuse",
        "((unexpected-parameter df-agent-description nom))",
    ),
    (
        "((action df (search (df-agent-description) (search-constraints) a)))",
        "refuse",
        "(unexpected-argument-count)",
    ),
    ("((action df (search (service-description))))", "refuse", "((unexpected-argument service-description))"),
    ("((done x))", "not-understood", "((unrecognised-value content))"),
    ("((action df (search)) (action df (search)))", "not-understood", "((unrecognised-value content))"),
    ("((action df (search :a b)))", "not-understood", "((unrecognised-value content))"),
    ("((action df (search (df-agent-description :name", "not-understood", "((unrecognised-value content))"),
]


@pytest.mark.parametrize(("content", "act", "answer"), DECLINED)
async def test_exceptions_in_sl0(tmp_path: Path, content: str, act: str, answer: str) -> None:
    async with stand(tmp_path) as runtime:
        assert await said(runtime, content) == (act, answer)
        *_, row = await runtime.messages()
        assert row["x_reason"]
        assert await violations(runtime) == []


async def test_an_error_says_where_and_what_was_expected(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        await said(runtime, "((action df\n (search (df-agent-description :name))))")
        *_, row = await runtime.messages()
        assert row["x_reason"] == (
            "line 2 column 37: expected a word, a string, a number, a date-time or (, found '))))'"
        )
        answer = await told(runtime, "df", {"action": "search"}, language="fipa-sl0")
        assert answer["performative"] == "not-understood"


READING = Reading("local", 1_700_000_000_000_000)
FUNCTIONS = {"search": Function("df-agent-description", needs=False, constraints=True)}


@given(DESCRIPTIONS)
def test_what_is_said_in_sl0_is_what_is_said_in_json(description: Json) -> None:
    wish = ManagementRequest(
        "search", "df-agent-description", description, {"max-results": 3, "search-id": "a b"}
    )
    form = Sl0Content("df@local")
    text = form.done(wish, None)
    assert isinstance(text, str)
    again = form.read(text.replace("((done ", "(", 1)[:-1], FUNCTIONS, READING)
    assert again == wish
    in_json = {"action": "search", "description": description, "constraints": wish.constraints}
    assert JSON.read(in_json, FUNCTIONS, READING) == wish
