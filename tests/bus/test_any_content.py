"""Whatever is said to `ams` and `df`, there is exactly one answer, a legal one, and the bus goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from acl.messages import JSON
from acl.test_sl0 import EXPRESSIONS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.acl.message import read_message
from caxton.acl.sl0 import write_sl0
from caxton.platform_agents.vocabulary import OBJECTS
from caxton.protocols import Legality, Referee, library

from .harness import stand

KEYS = sorted({key for slots in OBJECTS.values() for key in slots} | {"x", "lease_time"})
VALUES: st.SearchStrategy[object] = st.sampled_from(
    ["ann", "df", "operator.a", "a@b", "", "1h", "0s", "999999999d", "20260131T120000000Z", 10**30, -1, 0, True, None,
     {"name": "ann"}, {"name": "p", "value": 10**30}, [{"name": "p", "value": [1]}], [[]], ["a"] * 300, "x" * 2000]
)  # fmt: skip
OBJECT = st.recursive(
    VALUES | JSON,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=8,
)
ACTIONS = st.sampled_from(["register", "modify", "deregister", "search", "get-description", "fly"])
WISHES = st.fixed_dictionaries(
    {"action": ACTIONS},
    optional={"description": OBJECT, "constraints": OBJECT, "df-agent-description": OBJECT, "x": OBJECT},
)
SL0 = (
    st.tuples(
        ACTIONS, st.sampled_from(list(OBJECTS)), st.lists(st.tuples(st.sampled_from(KEYS), EXPRESSIONS))
    )
    .map(
        lambda said: (
            f"((action df ({said[0]} ({said[1]} "
            + " ".join(f":{key} {write_sl0([value])[1:-1]}" for key, value in dict(said[2]).items())
            + "))))"
        )
    )
    .filter(lambda text: len(text) < 20_000)
)
CONTENTS = WISHES | OBJECT | SL0 | st.lists(EXPRESSIONS, max_size=2).map(write_sl0)


async def test_every_content_has_one_legal_answer(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        runtime.agent("ann")
        count = 0

        @settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])
        @given(
            content=CONTENTS,
            receiver=st.sampled_from(["df", "ams"]),
            act=st.sampled_from(["request", "request", "subscribe"]),
            language=st.sampled_from([None, "json", "fipa-sl0", "kif"]),
        )
        def check(content: Any, receiver: str, act: str, language: str | None) -> None:
            nonlocal count
            count += 1
            message = {"performative": act, "receiver": receiver, "content": content, "language": language}
            message |= {"protocol": f"fipa-{act}", "conversation_id": f"c-{count}"}
            before = runtime.bus.counts.messages
            runtime.bus.submit(json.dumps(message).encode())
            assert runtime.bus.counts.messages == before + 2, content
            if runtime.df.subscriptions():
                # else it hears of what comes
                more = {"performative": "cancel", "content": None, "reply_with": f"cancel-{count}"}
                runtime.bus.submit(json.dumps(message | more).encode())
                assert runtime.bus.counts.messages == before + 4
                assert runtime.df.subscriptions() == []

        check()
        await runtime.commit()
        referee = Referee(library())
        rows = await runtime.journal.reader.messages(limit=10_000)
        verdicts = [referee.judge(read_message(row.body), row.at_us) for row in rows]
        assert [one for one in verdicts if one.legality is Legality.VIOLATION] == []
        assert runtime.pending() == []
        assert len(rows) == runtime.bus.counts.messages
