"""Random walks over every machine: one state after each step, ends absorb, conversations never mix."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from caxton.acl import Performative
from caxton.protocols import Conversation, Referee, library
from caxton.protocols.coverage import Coverage, transitions
from caxton.protocols.protocol import CANCELLING, End

from .talk import Talk

LIBRARY = library()
NAMES = ("a", "b", "d")
PROTOCOLS = st.sampled_from(sorted(LIBRARY.protocols))

Said = tuple[str, str, tuple[str, ...], dict[str, Any]]


@st.composite
def words(draw: st.DrawFn) -> Said:
    """Anything that a member could say at some time, mostly without reference and deadline."""
    act = draw(st.sampled_from(list(Performative))).value
    to = tuple(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)))
    speaker = draw(st.sampled_from(("i", *NAMES)))
    more: dict[str, Any] = {
        "rw": draw(st.sampled_from((None, "r1", "r2", "x1", "x2"))),
        "irt": draw(st.sampled_from((None, None, None, "r1", "r2", "x1"))),
    }
    after = draw(st.sampled_from((None, None, None, 1.0, 5.0)))
    pause = draw(st.sampled_from((0.0, 0.0, 0.5, 2.0, 40.0)))
    return speaker, act, to, more | {"after": after, "pause": pause}


def speak(talk: Talk, said: Said, choice: int) -> Any:
    """Say something; every second time something that is legal here, so that walks go deep."""
    speaker, act, to, more = said
    talk.at += more["pause"]
    by = None if more["after"] is None else talk.at + more["after"]
    known = {name: more[name] for name in ("rw", "irt")} | {"by": by}
    if choice % 4 and talk.id in talk.referee.conversations:
        name = NAMES[choice % 3]
        branch = talk.conversation.branches.get(f"{name}@local")
        side = choice % 2
        if branch is not None:
            acts = sorted(talk.table.moves[branch.state][side])
            if acts:
                act, to, speaker = acts[choice % len(acts)], (name,), name if side else "i"
                known["irt"] = None
    elif talk.id not in talk.referee.conversations:
        act = sorted(LIBRARY.protocols[talk.protocol or ""].starts)[0]
        speaker = "i"
    return talk.i(act, *to, **known) if speaker == "i" else talk.p(speaker, act, **known)


def plain(conversation: Conversation) -> bytes:
    return msgspec.json.encode(conversation)


@settings(max_examples=examples(150), deadline=None)
@given(PROTOCOLS, st.lists(st.tuples(words(), st.integers(0, 1000)), max_size=40))
def test_each_walk_keeps_to_its_machine(protocol: str, walk: list[tuple[Said, int]]) -> None:
    talk = Talk(protocol, referee=Referee(LIBRARY))
    table = LIBRARY.protocols[protocol]
    known = {(step.source, step.to) for step in table.steps}
    leaves_ends = {
        (step.source, step.to) for step in table.steps if step.reopens or step.source == "no-response"
    }
    for said, choice in walk:
        there = talk.id in talk.referee.conversations
        if there:
            # time alone may end branches; what the message does is looked at apart from it
            talk.wait(talk.at + said[3]["pause"])
            said = (*said[:3], said[3] | {"pause": 0.0})
        before = talk.states if there else {}
        written = plain(talk.conversation) if there else b""
        verdict = speak(talk, said, choice)
        if talk.id not in talk.referee.conversations:
            assert verdict.legality == "violation"
            continue
        after = talk.states
        assert set(before) <= set(after)
        assert all(state in table.states or state == CANCELLING for state in after.values())
        if verdict.legality == "violation":
            assert plain(talk.conversation) == written, "what is wrong changes nothing at all"
            assert said[1] not in verdict.legal or verdict.rule != "out-of-sequence"
        if verdict.legality == "ignored":
            assert after == before
        for name, state in before.items():
            moved = (state, after[name])
            if state == after[name]:
                continue
            ended = table.states[state].end if state != CANCELLING else None
            assert ended is None or moved in leaves_ends, "an end absorbs"
            if verdict.rule == "step" and CANCELLING not in moved:
                assert moved in known
        open_now = sum(state == CANCELLING or table.states[state].end is None for state in after.values())
        assert talk.conversation.open == open_now
        assert (talk.aggregate == "complete") == (open_now == 0)
        assert (talk.outcome is None) == (open_now > 0)
        assert msgspec.json.decode(plain(talk.conversation), type=Conversation) == talk.conversation


@settings(max_examples=examples(60), deadline=None)
@given(
    PROTOCOLS,
    PROTOCOLS,
    st.lists(st.tuples(st.booleans(), words(), st.integers(0, 1000)), max_size=40),
)
def test_two_conversations_between_the_same_agents_never_mix(
    one: str, other: str, walk: list[tuple[bool, Said, int]]
) -> None:
    together = Referee(LIBRARY)
    pair = (Talk(one, "one", together), Talk(other, "other", together))
    alone = (Talk(one, "one", Referee(LIBRARY)), Talk(other, "other", Referee(LIBRARY)))
    for which, said, choice in walk:
        assert speak(pair[which], said, choice) == speak(alone[which], said, choice)
    for mixed, single in zip(pair, alone, strict=True):
        assert mixed.referee.conversations.get(mixed.id) == single.referee.conversations.get(mixed.id)


@settings(max_examples=examples(60), deadline=None)
@given(PROTOCOLS, st.lists(st.tuples(words(), st.integers(0, 1000), st.booleans()), max_size=40))
def test_duplicates_change_nothing(protocol: str, walk: list[tuple[Said, int, bool]]) -> None:
    once, twice = Talk(protocol, referee=Referee(LIBRARY)), Talk(protocol, referee=Referee(LIBRARY))
    for said, choice, again in walk:
        assert speak(once, said, choice) == speak(twice, said, choice)
        if again:
            written = msgspec.json.encode(twice.referee.conversations)
            assert twice.i("inform", id=f"c-{twice.count}").rule == "duplicate"
            twice.count -= 1
            assert msgspec.json.encode(twice.referee.conversations) == written
    assert once.referee.conversations == twice.referee.conversations


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(words(), st.integers(0, 1000)), max_size=60))
def test_each_decision_follows_a_proposal_and_each_participant_has_one_outcome(
    walk: list[tuple[Said, int]],
) -> None:
    talk = Talk("fipa-contract-net", referee=Referee(LIBRARY))
    proposed: set[str] = set()
    decided: set[str] = set()
    for said, choice in walk:
        before = dict(talk.states) if talk.id in talk.referee.conversations else {}
        verdict = speak(talk, said, choice)
        if verdict.rule != "step" or verdict.step is None:
            continue
        for name, state in talk.states.items():
            if state == "proposed" and before.get(name) != "proposed":
                proposed.add(name)
            if state in ("accepted", "rejected") and before.get(name) not in (
                state,
                "cancelling",
                "proposed",
            ):
                raise AssertionError((name, before.get(name), state))
            if state in ("accepted", "rejected") and before.get(name) == "proposed":
                assert name in proposed
                assert name not in decided
                decided.add(name)
    if talk.id in talk.referee.conversations:
        talk.wait(talk.at + 1e6)
        ends = [talk.table.states[branch.state].end for branch in talk.conversation.branches.values()]
        assert all(isinstance(end, End) for end in ends), "every branch has its outcome in the end"


def test_coverage_counts_what_was_walked_and_names_the_rest() -> None:
    referee = Referee(LIBRARY)
    taken = Coverage(LIBRARY)
    talk = Talk("fipa-contract-net", referee=referee)
    for verdict in (
        talk.i("cfp", "a", "b", by=5),
        talk.p("a", "refuse"),
        talk.p("a", "refuse"),
        talk.p("b", "propose", at=6),
    ):
        taken.note(verdict, talk.conversation)
    counts = {str(one): times for one, times in taken.table()["fipa-contract-net"].items() if times}
    assert counts == {
        "start --initiator cfp--> cfp-sent": 1,
        "cfp-sent --participant refuse--> refused": 1,
        "cfp-sent --deadline--> no-response": 1,
        "no-response --participant propose--> late-rejected": 1,
    }
    assert len(taken.table()["fipa-contract-net"]) == len(transitions(talk.table))
    assert not any(taken.table()["fipa-request"].values())


@given(PROTOCOLS, st.lists(st.tuples(words(), st.integers(0, 59)), min_size=2, max_size=25))
@settings(max_examples=examples(150))
def test_the_quick_way_of_a_usual_step_is_the_long_one(protocol: str, walk: list[tuple[Said, int]]) -> None:
    quick, long = Talk(protocol), Talk(protocol)
    long.referee.quick = False
    for said, choice in walk:
        assert speak(quick, said, choice) == speak(long, said, choice)
        assert {id: plain(one) for id, one in quick.referee.conversations.items()} == {
            id: plain(one) for id, one in long.referee.conversations.items()
        }


@given(PROTOCOLS, st.lists(st.integers(0, 10_000), min_size=4, max_size=30))
@settings(max_examples=examples(300))
def test_the_two_ways_agree_along_the_table(protocol: str, choices: list[int]) -> None:
    """Walks that follow the table, with references, so that they come far."""
    quick, long = Talk(protocol), Talk(protocol)
    long.referee.quick = False
    start = sorted(LIBRARY.protocols[protocol].starts)[0]
    for talk in (quick, long):
        talk.i(start, "a", "b", rw="r0")
    for number, choice in enumerate(choices):
        name = NAMES[choice % 2]
        branch = (
            quick.conversation.branches.get(f"{name}@local")
            if quick.id in quick.referee.conversations
            else None
        )
        if branch is None:
            return
        table = quick.table.moves[branch.state]
        steps = [(side, act) for side in (0, 1) for act in sorted(table[side])]
        if not steps:
            return
        side, act = steps[choice // 2 % len(steps)]
        refers = (branch.answered, branch.asked)[side] if choice % 3 else None
        known = {"rw": f"r{number + 1}" if choice % 5 else None, "irt": refers}
        verdicts = [
            talk.p(name, act, **known) if side else talk.i(act, name, **known) for talk in (quick, long)
        ]
        assert verdicts[0] == verdicts[1]
        assert plain(quick.conversation) == plain(long.conversation)
