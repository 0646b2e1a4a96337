"""The quick way of a plain answer and the general one do the same: the same rows, the same frames."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from .harness import Frame, Json, Rings, stand

NAMES = st.sampled_from(["a", "b", "operator", "nobody", "timer"])
TEXTS = st.sampled_from(["r1", "r2", "", "talk"])
ANSWER = st.fixed_dictionaries(
    {"performative": st.sampled_from(["inform", "propose", "agree", "cfp", "refuse", "request"])},
    optional={
        "content": st.sampled_from([1, {"n": 1}, "x" * 300, None]),
        "receiver": NAMES | st.lists(NAMES, min_size=1, max_size=2),
        "protocol": st.sampled_from(["fipa-request", "fipa-contract-net", "shop-talk"]),
        "conversation_id": TEXTS,
        "reply_with": TEXTS,
        "in_reply_to": TEXTS,
        "reply_by": st.just("5s"),
        "reply_to": st.just("b"),
        "language": st.just("json"),
        "x_mine": st.just(1),
    },
)
ASKED = st.fixed_dictionaries(
    {"performative": st.sampled_from(["request", "cfp"]), "receiver": st.just("a")},
    optional={
        "protocol": st.sampled_from(["fipa-request", "fipa-contract-net", "fipa-iterated-contract-net"]),
        "reply_with": st.just("r1"),
        "reply_to": st.just("b"),
        "conversation_id": st.just("talk"),
    },
)
FIRST = st.fixed_dictionaries({"performative": st.sampled_from(["request", "cfp"]), "receiver": st.just("b")})


async def run(asked: Json, first: Json, answers: list[Json], *, quick: bool) -> tuple[Any, ...]:
    """A conversation in which a and b answer each other; all that is left of it."""
    with tempfile.TemporaryDirectory() as folder:
        rings = Rings()
        rings.stands_at_us = 1_700_000_000_000_000
        async with stand(Path(folder), rings, mailbox=3, hops=4, message_bytes=700) as runtime:
            runtime.bus.quick = quick
            runtime.agent("a")
            runtime.agent("b")
            runtime.bus.submit(asked)
            frames: list[Frame] = []
            for answer in [first, *answers]:
                if not runtime.cell.frames:
                    break
                frames.append(runtime.cell.end(answer, started_us=1_700_000_000_000_000))
            frames += runtime.cell.frames
            turns = [(turn.seq, turn.agent, turn.sent, turn.status) for turn in await runtime.turns()]
            return (
                await runtime.messages(),
                turns,
                await runtime.letters(),
                frames,
                runtime.bus.counts.plain(),
            )


@given(ASKED, FIRST, st.lists(ANSWER, max_size=8))
@settings(max_examples=examples(25))
async def test_both_ways_do_the_same(asked: Json, first: Json, answers: list[Json]) -> None:
    assert await run(asked, first, answers, quick=True) == await run(asked, first, answers, quick=False)


@pytest.mark.parametrize("quick", [True, False])
async def test_answers_take_the_way_that_is_asked_for(
    quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand(tmp_path) as runtime:
        taken: list[bool] = []
        went = runtime.bus.reply_quickly

        def noted(*given: Any) -> None:
            taken.append(True)
            went(*given)

        monkeypatch.setattr(runtime.bus, "reply_quickly", noted)
        runtime.bus.quick = quick
        runtime.agent("a")
        runtime.ask("a")
        runtime.cell.end({"performative": "inform"})
        assert bool(taken) is quick
