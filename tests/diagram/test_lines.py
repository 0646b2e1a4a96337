"""What stands in a diagram: messages, what happened between them, loops."""

from __future__ import annotations

from caxton.diagram import Mark, lines_of, read_timeline
from caxton.diagram.arcs import arcs
from caxton.schemas.shape import iso

from .talk import BEGAN_US, said, talk


def test_a_violation_stands_under_its_message_and_says_what_was_legal() -> None:
    wrong = {
        "legality": "violation",
        "rule": "not-here",
        "sentence": "the act is not legal in this state",
        "state": "agreed",
        "legal": ["failure", "inform"],
        "delivered": False,
        "warning": None,
    }
    late = {**wrong, "legality": "ignored", "sentence": "the conversation is over", "state": "done"}
    timeline = read_timeline(
        talk(
            said(1, "buyer", "seller", "request"),
            said(2, "seller", "buyer", "agree"),
            said(3, "seller", "buyer", "refuse", verdict=wrong),
            said(4, "seller", "buyer", "inform", verdict=late),
            state="InProgress",
        )
    )
    lines = lines_of(timeline)
    message = Mark.MESSAGE
    marks = [line.mark for line in lines]
    assert marks == [message, message, message, Mark.VIOLATION, message, Mark.JUDGED]
    assert lines[3].text == (
        "refuse in agreed; legal here: failure, inform (the act is not legal in this state, not delivered)"
    )
    assert lines[5].text == "inform in done: the conversation is over"
    assert [line.problem for line in lines] == [False, False, True, True, False, False]


def test_an_answer_is_found_by_the_word_that_its_receiver_chose() -> None:
    timeline = read_timeline(
        talk(
            said(1, "buyer", "ann", "cfp", reply_with="a"),
            said(2, "buyer", "bob", "cfp", reply_with="b"),
            said(3, "ann", "buyer", "propose", in_reply_to="a", reply_with="x"),
            said(4, "bob", "buyer", "propose", in_reply_to="b", reply_with="x"),
            said(5, "buyer", "ann", "accept-proposal", in_reply_to="x"),
            said(6, "ann", "buyer", "inform"),
            said(7, "bob", "buyer", "inform", in_reply_to="nobody said that"),
        )
    )
    assert [spoken.answers for spoken in timeline.spoken] == [None, None, 1, 2, 3, 5, None]
    lines = lines_of(timeline)
    assert "".join(arcs(lines, 2).get(n, " ") for n in range(len(lines))) == "╭│├│╰  "
    assert arcs(lines, 1) == {1: "╭", 2: "│", 3: "╰"}
    assert arcs(lines, 6) == {}


def test_a_deadline_that_went_by_names_those_who_were_silent() -> None:
    by = iso(BEGAN_US + 10_000)
    items = [
        said(1, "buyer", ["ann", "bob"], "cfp", after_ms=0, reply_by=by, reply_with="r"),
        said(2, "ann", "buyer", "propose", after_ms=5, in_reply_to="r"),
    ]
    assert len(lines_of(read_timeline(talk(*items)))) == 2
    (_, _, missed) = lines_of(read_timeline(talk(*items)), now_us=BEGAN_US + 10_001)
    assert (missed.mark, missed.text) == (Mark.DEADLINE, "reply-by of 1 passed without bob")
    late = said(3, "bob", "buyer", "propose", after_ms=11, in_reply_to="r")
    lines = lines_of(read_timeline(talk(*items, late)))
    assert [line.mark for line in lines] == [Mark.MESSAGE, Mark.MESSAGE, Mark.DEADLINE, Mark.MESSAGE]


def test_a_new_revision_a_failed_turn_and_a_dead_letter_have_lines() -> None:
    letter = {"agent": "bob@local", "code": "mailbox_full", "reason": "1,000 wait already"}
    timeline = read_timeline(
        talk(
            said(1, "buyer", "bob", "request"),
            said(2, "buyer", "bob", "request", revision="f" * 64),
            said(3, "buyer", "bob", "request", status="trap", dead_letters=[letter]),
            state="Failed",
            outcome="Failed",
        )
    )
    assert [(line.mark, line.text) for line in lines_of(timeline) if line.mark is not Mark.MESSAGE] == [
        (Mark.REVISION, "bob: revision b7e3c50 → fffffff"),
        (Mark.DEAD_LETTER, "bob: mailbox_full: 1,000 wait already"),
        (Mark.FAILED_TURN, "bob: the turn ended with trap"),
        (Mark.REVISION, "bob: revision fffffff → b7e3c50"),
        (Mark.END, "Failed"),
    ]


def test_a_loop_is_folded_and_opens() -> None:
    items = [said(1, "a", "b", "subscribe")]
    for n in range(10):
        items += [said(2 + 2 * n, "a", "b", "query-if", n), said(3 + 2 * n, "b", "a", "inform", n)]
    items.append(said(99, "a", "b", "cancel"))
    timeline = read_timeline(talk(*items))
    lines = lines_of(timeline)
    assert [line.mark for line in lines].count(Mark.MESSAGE) == 6
    (loop,) = [line for line in lines if line.mark is Mark.LOOP]
    assert loop.text == "4 to 19: the same 2 messages 8 times more"
    assert [line.spoken.number for line in lines if line.spoken and line.mark is Mark.MESSAGE] == [
        1, 2, 3, 20, 21, 22,
    ]  # fmt: skip
    opened = lines_of(timeline, unfolded={2})
    assert [line.spoken.number for line in opened if line.spoken] == list(range(1, 23))


def test_trouble_in_a_loop_is_never_folded_away() -> None:
    items = [said(n, "a", "b", "request", status="trap" if n == 15 else "ok") for n in range(1, 31)]
    shown = [
        line.spoken.number
        for line in lines_of(read_timeline(talk(*items)))
        if line.mark is Mark.MESSAGE and line.spoken
    ]
    assert 15 in shown
    assert len(shown) == 5
