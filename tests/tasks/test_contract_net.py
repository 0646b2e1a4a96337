"""A contract net in one call, with the sellers of the market and everything that goes wrong there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agents.systems import commit

from caxton.clock import VirtualClock
from caxton.errors import ResourceError
from caxton.runtime import Runtime
from caxton.tasks.tasks import UNDER_WAY_MAX
from caxton.tasks.view import Ending

from .market import BOOK, TRAP, act, content, ended, run, said, says, shop, so_far, states, wish


async def heard_by(runtime: Runtime, name: str, conversation: str) -> list[tuple[str, str, object]]:
    """What was said to an agent in a conversation: by whom, act and content."""
    await commit(runtime)
    rows = await runtime.journal.reader.messages(conversation=conversation, limit=1000)
    bodies = [json.loads(row.body) for row in rows]
    return [
        (body["sender"], body["performative"], body.get("content"))
        for body in bodies
        if f"{name}@local" in body["receiver"]
    ]


async def test_the_lowest_offer_is_accepted_and_its_result_waited_for(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ann,bob,cleo"))
        assert (view.summary.state, view.summary.outcome, view.summary.ending) == (
            "Completed",
            "awarded",
            Ending.ACHIEVED,
        )
        assert states(view) == {"ann": "rejected", "bob": "rejected", "cleo": "done"}
        assert view.received == {"propose": 3, "inform": 1}
        assert view.sent == {"cfp": 1, "accept-proposal": 1, "reject-proposal": 2}
        ann, _, cleo = view.branches
        assert cleo.awarded
        assert content(cleo.proposal) == {"item": "book", "price": 38}
        assert cleo.result is not None
        assert content(cleo.result.content) == {"done": True, "item": "book", "price": 38}
        assert content(ann.proposal)["price"] == 40
        rejected = await heard_by(runtime, "ann", view.summary.id)
        assert rejected[-1][1:] == ("reject-proposal", {"reason": "another proposal was chosen"})


@pytest.mark.parametrize(
    ("choose", "winners", "winning"),
    [
        ("lowest:price", 2, {"ann", "cleo"}),
        ("highest:price", 1, {"bob"}),
        ("all", None, {"ann", "bob", "cleo"}),
        ("all", 2, 2),
        ("first", 1, 1),
        ("first", 2, 2),
    ],
)
async def test_as_many_win_as_are_asked_for(
    tmp_path: Path, choose: str, winners: int | None, winning: set[str] | int
) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ann,bob,cleo", choose=choose, winners=winners))
        won = {name for name, state in states(view).items() if state == "done"}
        assert won == winning or len(won) == winning
        assert view.summary.ending is Ending.ACHIEVED
        assert view.sent["accept-proposal"] == len(won)
        assert view.sent.get("reject-proposal", 0) == 3 - len(won)


async def test_none_takes_no_offer_and_shows_them_all(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("ann,bob,cleo", choose="none"))
        assert (view.summary.outcome, view.summary.ending) == ("no-award", Ending.ACHIEVED)
        assert set(states(view).values()) == {"rejected"}
        assert sorted(content(branch.proposal)["price"] for branch in view.branches) == [38, 40, 44]


async def test_an_offer_without_the_field_is_rejected_with_the_reason(tmp_path: Path) -> None:
    vague = says({act("cfp"): said("propose", {"price": "a fair one"})})
    async with shop(tmp_path, {"vague": vague}) as runtime:
        view = await run(runtime, wish("vague,bob"))
        assert states(view) == {"vague": "rejected", "bob": "done"}
        told = await heard_by(runtime, "vague", view.summary.id)
        assert told[-1][1:] == ("reject-proposal", {"reason": "the proposal has no number at price"})
        alone = await run(runtime, wish("vague"))
        assert (alone.summary.outcome, alone.summary.ending) == ("no-award", Ending.NOT_ACHIEVED)


async def test_refusals_are_counted_and_with_nothing_else_nobody_wins(tmp_path: Path) -> None:
    no = says({act("cfp"): said("refuse", {"reason": "not today"})})
    async with shop(tmp_path, {"no": no, "never": no}) as runtime:
        view = await run(runtime, wish("no,never"))
        assert (view.summary.state, view.summary.outcome) == ("Completed", "no-award")
        assert view.summary.ending is Ending.NOT_ACHIEVED
        assert view.summary.reason == "no@local: refused; never@local: refused"
        assert view.received == {"refuse": 2}
        assert view.branches[0].result is not None
        assert content(view.branches[0].result.content) == {"reason": "not today"}


async def test_who_does_not_exist_has_failed_and_the_others_go_on(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        view = await run(runtime, wish("nobody,bob"))
        assert states(view) == {"nobody": "failed-delivery", "bob": "done"}
        nobody = view.branches[0]
        assert nobody.result is not None
        assert nobody.result.sender == "ams@local"
        assert content(nobody.result.content)["error"] == "unknown_agent"
        alone = await run(runtime, wish("nobody"))
        assert (alone.summary.state, alone.summary.ending) == ("Failed", Ending.FAILED)


async def test_a_winner_that_fails_is_a_failed_task(tmp_path: Path) -> None:
    boaster = says(
        {
            act("cfp"): said("propose", {"price": 1}),
            act("accept-proposal"): said("failure", {"reason": "sold out after all"}),
        }
    )
    async with shop(tmp_path, {"boaster": boaster}) as runtime:
        view = await run(runtime, wish("boaster,bob"))
        assert states(view) == {"boaster": "failed", "bob": "rejected"}
        assert (view.summary.outcome, view.summary.ending) == ("awarded", Ending.FAILED)
        assert view.summary.reason == "boaster@local: failed"


async def test_not_understood_and_a_trap_end_their_own_branch_only(tmp_path: Path) -> None:
    puzzled = says({act("cfp"): said("not-understood", {"reason": "what?"})})
    async with shop(tmp_path, {"puzzled": puzzled, "trap": says({act("cfp"): TRAP})}) as runtime:
        view = await run(runtime, wish("puzzled,trap,bob"))
        assert states(view) == {"puzzled": "not-understood", "trap": "failed-delivery", "bob": "done"}
        assert view.received == {"failure": 1, "inform": 1, "not-understood": 1, "propose": 1}


async def test_who_says_nothing_is_missing_after_the_deadline_and_not_waited_for(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": says({})}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute,bob", reply_by="2s"))
        await so_far(runtime, id, received={"propose": 1})
        clock.advance(1.999)
        assert (await runtime.tasks.view(id)).summary.ending is None
        clock.advance(0.002)
        view = await ended(runtime, id)
        assert states(view) == {"mute": "no-response", "bob": "done"}
        assert view.missing == 1
        assert view.summary.ending is Ending.ACHIEVED


async def test_nobody_answers_and_the_task_has_timed_out(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": says({})}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute", reply_by="2s"))
        clock.advance(2.001)
        view = await ended(runtime, id)
        assert (view.summary.state, view.summary.outcome) == ("Failed", "no-award")
        assert view.summary.ending is Ending.TIMED_OUT
        assert view.summary.reason == "mute@local: no-response"


@pytest.mark.parametrize(("mode", "by"), [("enforce", "ams"), ("warn", "operator"), ("off", "operator")])
async def test_a_late_offer_is_rejected_as_late_once(tmp_path: Path, mode: str, by: str) -> None:
    clock = VirtualClock()
    conversation = f"t-{clock.now_us():x}"
    # it asks the timer when it is called, and offers when that rings
    late = says(
        {
            act("cfp"): said(
                "request", {"after_ms": 3000, "tag": "now"}, receiver="timer", conversation_id="late-wait"
            ),
            '"tag":"now"': said("propose", {"price": 1}, receiver="operator", conversation_id=conversation),
        }
    )
    long = says({act("cfp"): said("propose", {"price": 50})})
    async with shop(
        tmp_path, {"long": long, "late": late}, clock=clock, toml=f'referee = {{ mode = "{mode}" }}'
    ) as runtime:
        id = await runtime.tasks.begin(wish("late,long", reply_by="2s", deadline="9s"))
        assert id == conversation
        await so_far(runtime, id, received={"propose": 1})
        clock.advance(2.5)
        await so_far(runtime, id, received={"propose": 1}, sent={"accept-proposal": 1})
        clock.advance(1)
        await so_far(runtime, id, received={"propose": 2})
        running = await runtime.tasks.view(id)
        assert states(running) == {"late": "late-rejected", "long": "accepted"}
        assert running.late == 1
        clock.advance(6)
        view = await ended(runtime, id)
        assert states(view) == {"late": "late-rejected", "long": "timed-out"}
        assert view.summary.ending is Ending.TIMED_OUT
        assert view.received == {"propose": 2}
        told = await heard_by(runtime, "late", id)
        assert told == [
            ("operator@local", "cfp", BOOK),
            (f"{by}@local", "reject-proposal", {"reason": "late"}),
        ]


@pytest.mark.parametrize("mode", ["enforce", "off"])
async def test_what_the_protocol_does_not_allow_changes_nothing_and_is_listed(
    tmp_path: Path, mode: str
) -> None:
    eager = says({act("cfp"): said("inform", "done already")})
    clock = VirtualClock()
    async with shop(
        tmp_path, {"eager": eager}, clock=clock, toml=f'referee = {{ mode = "{mode}" }}'
    ) as runtime:
        id = await runtime.tasks.begin(wish("eager,ann", reply_by="5s"))
        await so_far(runtime, id, received={"propose": 1})
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert states(view) == {"eager": "no-response", "ann": "done"}
        assert view.received == {"propose": 1, "inform": 1}
        assert [(one.sender, one.performative, one.rule) for one in view.violations] == [
            ("eager@local", "inform", "out-of-sequence")
        ]


async def test_the_first_offer_wins_before_the_others_have_come(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": says({})}, clock=clock) as runtime:
        id = await runtime.tasks.begin(wish("mute,bob", choose="first", reply_by="5s"))
        await so_far(runtime, id, received={"propose": 1, "inform": 1})
        # no time has passed: bob has won and delivered, while mute may still answer
        assert states(await runtime.tasks.view(id)) == {"mute": "cfp-sent", "bob": "done"}
        clock.advance(5.001)
        view = await ended(runtime, id)
        assert view.summary.ending is Ending.ACHIEVED
        assert content(view.order.content) == BOOK


async def test_many_tasks_at_once_do_not_mix(tmp_path: Path) -> None:
    async with shop(tmp_path) as runtime:
        ids = [
            await runtime.tasks.begin(wish("ann,bob,cleo", content={"item": f"book {n}"}, choose="none"))
            for n in range(40)
        ]
        assert len(set(ids)) == 40
        for n, id in enumerate(ids):
            view = await ended(runtime, id)
            assert view.summary.ending is Ending.ACHIEVED
            assert {content(branch.proposal)["item"] for branch in view.branches} == {f"book {n}"}
        assert runtime.tasks.under_way == 0


async def test_a_winner_that_is_stopped_before_it_delivers_has_failed(tmp_path: Path) -> None:
    idle = says({act("cfp"): said("propose", {"price": 1})})
    async with shop(tmp_path, {"idle": idle}) as runtime:
        id = await runtime.tasks.begin(wish("idle,ann"))
        await so_far(runtime, id, sent={"accept-proposal": 1, "reject-proposal": 1})
        await runtime.agents.stop("idle", drain=False)
        view = await ended(runtime, id)
        assert states(view) == {"idle": "failed-delivery", "ann": "rejected"}
        assert view.summary.ending is Ending.FAILED


async def test_more_than_may_run_at_once_are_refused(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, {"mute": says({})}, clock=clock) as runtime:
        ids = [await runtime.tasks.begin(wish("mute", reply_by="5s")) for _ in range(UNDER_WAY_MAX)]
        with pytest.raises(ResourceError, match="256 tasks are under way"):
            await runtime.tasks.begin(wish("ann"))
        clock.advance(5.001)
        for id in ids:
            assert (await ended(runtime, id)).summary.ending is Ending.TIMED_OUT
        assert (await run(runtime, wish("ann"))).summary.ending is Ending.ACHIEVED
