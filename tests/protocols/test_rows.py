"""Every row of every table of the FIPA documents: from each state, each of the 22 acts by each side.

The rows are written down here once more, apart from the tables of the code, so that neither can drift alone. What is
not in a row is a violation that changes nothing.
"""

from __future__ import annotations

import pytest

from caxton.acl import Performative

from .talk import Talk

RELAYED = [
    *["inform", "agree", "refuse", "propose", "accept-proposal", "reject-proposal"],
    *["confirm", "disconfirm", "inform-if", "inform-ref"],
]

Row = tuple[str, str, str]
RESULTS: list[Row] = [("agreed", "inform", "done"), ("agreed", "failure", "failed")]
OFFERS: list[Row] = [
    ("cfp-sent", "refuse", "refused"),
    ("cfp-sent", "propose", "proposed"),
    ("cfp-sent", "failure", "failed"),
    ("accepted", "inform", "done"),
    ("accepted", "failure", "failed"),
]

# protocol: (initiator's rows, participant's rows, acts that lead to each state, states that are ends)
PATHS: dict[str, tuple[list[Row], list[Row], dict[str, str], str]] = {
    "fipa-request": (
        [],
        [
            ("requested", "refuse", "refused"),
            ("requested", "agree", "agreed"),
            ("requested", "inform", "done"),
            ("requested", "failure", "failed"),
            *RESULTS,
        ],
        {
            "requested": "I request",
            "agreed": "I request, P agree",
            "done": "I request, P inform",
            "refused": "I request, P refuse",
            "failed": "I request, P agree, P failure",
        },
        "done refused failed",
    ),
    "fipa-query": (
        [],
        [
            ("queried", "refuse", "refused"),
            ("queried", "agree", "agreed"),
            *[("queried", act, "done") for act in ("inform", "inform-if", "inform-ref")],
            *[("agreed", act, "done") for act in ("inform-if", "inform-ref")],
            ("queried", "failure", "failed"),
            *RESULTS,
        ],
        {
            "queried": "I query-ref",
            "agreed": "I query-if, P agree",
            "done": "I query-if, P inform",
            "refused": "I query-ref, P refuse",
            "failed": "I query-ref, P failure",
        },
        "done refused failed",
    ),
    "fipa-request-when": (
        [],
        [
            ("requested", "refuse", "refused"),
            ("requested", "agree", "waiting"),
            ("waiting", "inform", "done"),
            ("waiting", "failure", "failed"),
        ],
        {
            "requested": "I request-when",
            "waiting": "I request-when, P agree",
            "done": "I request-when, P agree, P inform",
            "refused": "I request-when, P refuse",
            "failed": "I request-when, P agree, P failure",
        },
        "done refused failed",
    ),
    "fipa-contract-net": (
        [("proposed", "reject-proposal", "rejected"), ("proposed", "accept-proposal", "accepted")],
        OFFERS,
        {
            "cfp-sent": "I cfp",
            "proposed": "I cfp, P propose",
            "accepted": "I cfp, P propose, I accept-proposal",
            "done": "I cfp, P propose, I accept-proposal, P inform",
            "failed": "I cfp, P propose, I accept-proposal, P failure",
            "refused": "I cfp, P refuse",
            "rejected": "I cfp, P propose, I reject-proposal",
        },
        "done refused rejected failed",
    ),
    "fipa-iterated-contract-net": (
        [
            ("proposed", "reject-proposal", "rejected"),
            ("proposed", "accept-proposal", "accepted"),
            ("proposed", "cfp", "cfp-sent"),
        ],
        OFFERS,
        {
            "cfp-sent": "I cfp, P propose, I cfp",
            "proposed": "I cfp, P propose, I cfp, P propose",
            "accepted": "I cfp, P propose, I cfp, P propose, I accept-proposal",
            "done": "I cfp, P propose, I accept-proposal, P inform",
            "failed": "I cfp, P propose, I accept-proposal, P failure",
            "refused": "I cfp, P refuse",
            "rejected": "I cfp, P propose, I reject-proposal",
        },
        "done refused rejected failed",
    ),
    "fipa-auction-english": (
        [
            ("open", "cfp", "round"),
            ("bid", "accept-proposal", "leading"),
            ("bid", "reject-proposal", "lost"),
            ("leading", "cfp", "round"),
            ("lost", "cfp", "round"),
            *[(state, "inform", "closed") for state in ("open", "round", "bid", "leading", "lost")],
            ("closed", "request", "sale"),
        ],
        [
            ("round", "propose", "bid"),
            ("sale", "refuse", "refused"),
            ("sale", "agree", "agreed"),
            ("sale", "inform", "done"),
            ("sale", "failure", "failed"),
            *RESULTS,
        ],
        {
            "open": "I inform",
            "round": "I inform, I cfp",
            "bid": "I inform, I cfp, P propose",
            "leading": "I inform, I cfp, P propose, I accept-proposal",
            "lost": "I inform, I cfp, P propose, I reject-proposal",
            "closed": "I inform, I cfp, P propose, I accept-proposal, I inform",
            "sale": "I inform, I cfp, P propose, I accept-proposal, I inform, I request",
            "agreed": "I inform, I cfp, P propose, I accept-proposal, I inform, I request, P agree",
            "done": "I inform, I cfp, P propose, I accept-proposal, I inform, I request, P inform",
            "failed": "I inform, I cfp, P propose, I accept-proposal, I inform, I request, P failure",
            "refused": "I inform, I cfp, P propose, I accept-proposal, I inform, I request, P refuse",
        },
        "done refused failed closed",
    ),
    "fipa-auction-dutch": (
        [
            ("open", "cfp", "round"),
            ("round", "cfp", "round"),
            ("bid", "accept-proposal", "awarded"),
            ("bid", "reject-proposal", "lost"),
            ("awarded", "cfp", "round"),
            ("lost", "cfp", "round"),
            *[(state, "inform", "closed") for state in ("open", "round", "bid", "awarded", "lost")],
        ],
        [("round", "propose", "bid")],
        {
            "open": "I inform",
            "round": "I inform, I cfp",
            "bid": "I inform, I cfp, I cfp, P propose",
            "awarded": "I inform, I cfp, P propose, I accept-proposal",
            "lost": "I inform, I cfp, P propose, I reject-proposal",
            "closed": "I inform, I cfp, I inform",
        },
        "closed",
    ),
    "fipa-brokering": (
        [],
        [
            ("proxied", "refuse", "refused"),
            ("proxied", "agree", "agreed"),
            ("agreed", "failure", "failed"),
            ("agreed", "inform", "forwarding"),
            ("forwarding", "failure", "failed"),
            *[("forwarding", act, "forwarding") for act in RELAYED],
        ],
        {
            "proxied": "I proxy",
            "agreed": "I proxy, P agree",
            "forwarding": "I proxy, P agree, P inform",
            "refused": "I proxy, P refuse",
            "failed": "I proxy, P agree, P failure",
        },
        "refused failed",
    ),
    "fipa-recruiting": (
        [],
        [("proxied", "refuse", "refused"), ("proxied", "agree", "agreed"), *RESULTS],
        {
            "proxied": "I proxy",
            "agreed": "I proxy, P agree",
            "done": "I proxy, P agree, P inform",
            "refused": "I proxy, P refuse",
            "failed": "I proxy, P agree, P failure",
        },
        "done refused failed",
    ),
    "fipa-subscribe": (
        [],
        [
            ("subscribed", "refuse", "refused"),
            ("subscribed", "agree", "active"),
            ("subscribed", "inform", "active"),
            ("subscribed", "failure", "failed"),
            ("active", "inform", "active"),
            ("active", "failure", "failed"),
        ],
        {
            "subscribed": "I subscribe",
            "active": "I subscribe, P agree, P inform",
            "refused": "I subscribe, P refuse",
            "failed": "I subscribe, P inform, P failure",
        },
        "refused failed",
    ),
    "fipa-propose": (
        [],
        [("proposed", "accept-proposal", "accepted"), ("proposed", "reject-proposal", "rejected")],
        {
            "proposed": "I propose",
            "accepted": "I propose, P accept-proposal",
            "rejected": "I propose, P reject-proposal",
        },
        "accepted rejected",
    ),
}
AUCTIONS = ("fipa-auction-english", "fipa-auction-dutch")
STATES = [(protocol, state) for protocol, (_, _, ways, _) in PATHS.items() for state in ways]


def arrive(protocol: str, state: str) -> Talk:
    talk = Talk(protocol)
    for word in PATHS[protocol][2][state].split(", "):
        side, act = word.split()
        verdict = talk.i(act) if side == "I" else talk.p("a", act)
        assert verdict.legality == "legal", (word, verdict)
    assert talk.a == state
    return talk


@pytest.mark.parametrize(("protocol", "state"), STATES)
@pytest.mark.parametrize("side", ["I", "P"])
def test_every_act_in_every_state_is_as_the_table_says(protocol: str, state: str, side: str) -> None:
    initiators, participants, _, ends = PATHS[protocol]
    rows = {act: to for source, act, to in (initiators if side == "I" else participants) if source == state}
    spoke = "P " in PATHS[protocol][2][state]
    offered = arrive(protocol, state)
    told: set[str] | None = None
    for act in Performative:
        talk = arrive(protocol, state)
        verdict = talk.i(act, rw="fresh") if side == "I" else talk.p("a", act)
        over = state in ends.split()
        if act in rows:
            assert (verdict.legality, talk.a) == ("legal", rows[act]), act
        elif act is Performative.NOT_UNDERSTOOD and not over and (side == "P" or spoke):
            assert (verdict.legality, talk.a) == ("legal", "not-understood"), act
        elif act is Performative.CANCEL and side == "I" and protocol not in AUCTIONS:
            if over:
                assert (verdict.legality, verdict.rule, talk.a) == ("ignored", "nothing-to-cancel", state)
            else:
                assert (verdict.legality, talk.a) == ("legal", "cancelling")
        else:
            assert verdict.legality == "violation", act
            assert talk.states == offered.states
            assert verdict.state == state
            told = set(verdict.legal)
    expected = set(rows)
    if state not in ends.split():
        expected |= {"not-understood"} if side == "P" or spoke else set()
        expected |= {"cancel"} if side == "I" and protocol not in AUCTIONS else set()
    assert told == expected, "a violation names what was legal"


@pytest.mark.parametrize("protocol", PATHS)
def test_only_the_first_act_of_the_table_begins(protocol: str) -> None:
    beginning = {way.split(", ")[0].split()[1] for way in PATHS[protocol][2].values()}
    for act in Performative:
        talk = Talk(protocol)
        verdict = talk.i(act)
        if act in beginning:
            assert verdict.legality == "legal"
            assert talk.state == "Initiated"
        else:
            assert (verdict.legality, verdict.state) == ("violation", "start")
            assert set(verdict.legal) == beginning
            assert not talk.referee.conversations


@pytest.mark.parametrize("protocol", PATHS)
def test_every_state_of_the_table_is_reached_here(protocol: str) -> None:
    talk = arrive(protocol, next(iter(PATHS[protocol][2])))
    ours = {state for state in talk.table.states if state in {step.to for step in talk.table.steps}}
    by_time = {"late-rejected", "no-response"}
    served = {state.served for state in talk.table.states.values()}
    assert ours - by_time - served == set(PATHS[protocol][2])


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("RequestReply", "fipa-request"),
        ("request_reply", "fipa-request"),
        ("ContractNet", "fipa-contract-net"),
        ("Auction", "fipa-auction-english"),
        ("Negotiation", "fipa-iterated-contract-net"),
        ("Subscribe", "fipa-subscribe"),
        ("FIPA-Auction-Dutch", "fipa-auction-dutch"),
        *((name.removeprefix("fipa-"), name) for name in PATHS),
    ],
)
def test_the_architecture_documents_names_short_ones_and_any_case_are_accepted(name: str, means: str) -> None:
    talk = Talk(name)
    first = PATHS[means][2][next(iter(PATHS[means][2]))].split(", ")[0].split()[1]
    assert talk.i(first).protocol == means
    assert talk.i(first, "b", protocol=means).legality == "legal", "the other name is the same protocol"


def test_an_answer_to_a_query_by_a_macro_act_is_taken_with_a_warning() -> None:
    talk = arrive("fipa-query", "queried")
    assert "plain inform" in (talk.p("a", "inform-if").warning or "")
