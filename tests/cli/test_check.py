"""`caxton check` over files of messages, as a person and a script run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .command import caxton


def message(at: float, sender: str, act: str, *to: str, **more: object) -> dict[str, object]:
    said: dict[str, object] = {"performative": act, "sender": sender, "receiver": list(to)}
    return said | {"conversation_id": "k", "timestamp": int(at * 1e6)} | more


GOOD = [
    message(1, "buyer", "cfp", "a", "b", "c", protocol="fipa-contract-net", reply_with="r", reply_by="5s"),
    message(2, "a", "propose", "buyer", in_reply_to="r", reply_with="p"),
    message(3, "b", "refuse", "buyer", in_reply_to="r"),
    message(7, "c", "propose", "buyer", in_reply_to="r", reply_with="q"),
    message(7, "ams", "reject-proposal", "c", in_reply_to="q"),
    message(8, "buyer", "accept-proposal", "a", in_reply_to="p", reply_with="x"),
    message(9, "a", "inform", "buyer", in_reply_to="x"),
]


def write(path: Path, messages: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in messages))
    return path


def test_a_good_record_is_said_to_be_so(tmp_path: Path) -> None:
    done = caxton("check", write(tmp_path / "m.jsonl", GOOD))
    assert done.returncode == 0, done.stderr
    assert "7 messages, 1 conversation, 0 violations" in done.stderr
    assert "a done, b refused, c late-rejected" in done.stdout
    assert "answers reject-proposal → c, reason late" in done.stdout


def test_many_conversations_are_counted_and_not_listed(tmp_path: Path) -> None:
    many = [{**one, "conversation_id": f"k{n}"} for n in range(60) for one in GOOD[:3]]
    done = caxton("check", write(tmp_path / "m.jsonl", many))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[:3] == ["60", "fipa-contract-net", "InProgress"]


def test_json_gives_each_message_its_verdict_and_every_branch_after_it(tmp_path: Path) -> None:
    wrong = message(8.5, "buyer", "accept-proposal", "b")
    done = caxton(
        "check", write(tmp_path / "m.jsonl", [*GOOD[:6], wrong, GOOD[6]]), "-o", "json", "--coverage"
    )
    assert done.returncode == 7
    found = json.loads(done.stdout)
    rows = found["messages"]
    assert [row["verdict"] for row in rows] == [*["legal"] * 4, "ignored", "legal", "violation", "legal"]
    assert rows[0]["branches"] == {"a": "cfp-sent", "b": "cfp-sent", "c": "cfp-sent"}
    assert rows[3]["branches"]["c"] == "late-rejected"
    assert rows[3]["effects"][-1] == {
        "what": "answer",
        "performative": "reject-proposal",
        "receiver": "c",
        "reason": "late",
        "in_reply_to": "q",
    }
    assert (rows[6]["line"], rows[6]["state"], rows[6]["participant"]) == (7, "refused", "b")
    assert rows[1]["legal"] == ["failure", "not-understood", "propose", "refuse"]
    assert [row["aggregate"] for row in rows][-3:] == ["executing", "executing", "complete"]
    (conversation,) = found["conversations"]
    assert (conversation["state"], conversation["outcome"]) == ("Completed", "awarded")
    coverage = found["coverage"]["fipa-contract-net"]
    assert {"source": "start", "by": "initiator", "act": "cfp", "to": "cfp-sent", "times": 1} in coverage[
        "exercised"
    ]
    assert {"source": "cfp-sent", "by": "", "act": "deadline", "to": "no-response", "times": 1} in coverage[
        "exercised"
    ]
    assert {"source": "proposed", "by": "initiator", "act": "reject-proposal", "to": "rejected"} in coverage[
        "never"
    ]
    assert found["violations"] == 1


def test_rows_of_the_journal_and_fipas_own_spelling_are_taken(tmp_path: Path) -> None:
    stored = [
        {"seq": 7, "at": "2026-01-31T12:00:00.000000Z", "cause": None, "message": {
            "id": "one", "performative": "request", "sender": "a@local", "receiver": ["b@local"],
            "protocol": "fipa-request", "conversation_id": "k"}},
        {"performative": "AGREE", "sender": "b", "receiver": "a", "conversation-id": "k",
         "timestamp": "2026-01-31T13:00:00+01:00"},
    ]  # fmt: skip
    done = caxton("check", "-", "-o", "jsonl", stdin="\n".join(json.dumps(one) for one in stored))
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["timestamp"] == second["timestamp"] == 1769860800000000
    assert (first["id"], second["branches"]) == ("one", {"b@local": "agreed"})


def test_a_reply_by_may_be_a_number_as_a_timestamp_is(tmp_path: Path) -> None:
    asked: dict[str, object] = {
        "performative": "request",
        "sender": "i",
        "receiver": "a",
        "conversation_id": "c",
    }
    asked |= {"protocol": "fipa-request", "timestamp": 1_000_000, "reply_by": 2_000_000}
    told: dict[str, object] = {
        "performative": "inform",
        "sender": "a",
        "receiver": "i",
        "conversation_id": "c",
    }
    for at, code in ((2_000_000, 0), (2_000_001, 7)):
        lines = [json.dumps(asked), json.dumps(told | {"timestamp": at})]
        said = caxton("check", "-", cwd=tmp_path, stdin="\n".join(lines))
        assert said.returncode == code, said.stdout


def test_an_act_that_fipa_does_not_have_is_a_violation(tmp_path: Path) -> None:
    done = caxton("check", write(tmp_path / "m.jsonl", [message(1, "a", "inform-done", "b")]))
    assert done.returncode == 7
    assert "unknown-act" in done.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1: this is not JSON"),
        ("3", "a message is a JSON object"),
        ('{"sender": "a"}', "no performative"),
        ('{"performative": "inform"}', "no sender"),
        ('{"performative": "inform", "sender": "a"}', "no receiver"),
        ('{"performative": "inform", "sender": "a", "receiver": [3]}', "receiver must be a name"),
        ('{"performative": "inform", "sender": "a", "receiver": "b", "protocol": 3}', "must be a string"),
        ('{"performative": "inform", "sender": "a", "receiver": "b", "reply_by": "soon"}', "is not a time"),
        ('{"performative": "inform", "sender": "a", "receiver": "b", "timestamp": "noon"}', "is no time"),
        ('{"performative": "inform", "sender": "a", "receiver": "b", "timestamp": NaN}', "nan is no time"),
        (
            '{"performative": "inform", "sender": "a", "receiver": "b", "reply_by": 1e300}',
            "1e+300 is no time",
        ),
    ],
)
def test_what_is_no_message_is_refused_on_its_line(line: str, says: str) -> None:
    done = caxton("check", "-", stdin=line)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_table_of_ones_own_and_one_that_makes_no_sense(tmp_path: Path) -> None:
    table = tmp_path / "own.toml"
    table.write_text(
        'name = "ping"\n[states]\nasked = { phase = "collecting" }\ndone = { end = "success" }\n[table]\nsteps = [\n'
        '  { from = "start", by = "initiator", act = "query-if", to = "asked" },\n'
        '  { from = "asked", by = "participant", act = "confirm", to = "done" },\n]\n'
    )
    record = write(
        tmp_path / "m.jsonl",
        [message(1, "a", "query-if", "b", protocol="ping"), message(2, "b", "confirm", "a")],
    )
    done = caxton("check", record, "--protocol", table, "--coverage")
    assert done.returncode == 0, done.stderr
    assert "ping: 2 of" in done.stdout
    table.write_text(table.read_text().replace('to = "done"', 'to = "asked"'))
    done = caxton("check", record, "--protocol", table)
    assert done.returncode == 2
    assert "own.toml line 4: nothing leads to state 'done'" in done.stderr


def test_the_time_in_which_a_message_was_held_counts_for_nobody(tmp_path: Path) -> None:
    cfp = message(1, "buyer", "cfp", "a", "b", protocol="fipa-contract-net", reply_with="r", reply_by="5s")
    rows = [
        {"seq": 1, "message": cfp, "held": None},
        # what b says passes while a's word is held
        {"seq": 3, "message": message(8, "b", "propose", "buyer", in_reply_to="r", reply_with="q")},
        {
            "seq": 4,
            "message": message(60, "a", "propose", "buyer", in_reply_to="r", reply_with="p"),
            "held": {"seq": 2, "held_us": 58_000_000, "edited": False, "break_id": "b1"},
        },
    ]
    done = caxton("check", write(tmp_path / "held.jsonl", rows), "-o", "json")
    assert json.loads(done.stdout)["messages"][-1]["branches"] == {"a": "proposed", "b": "proposed"}
    for row in rows:
        row.pop("held", None)
    done = caxton("check", write(tmp_path / "late.jsonl", rows), "-o", "json")
    late = json.loads(done.stdout)["messages"][-1]["branches"]
    assert late == {"a": "late-rejected", "b": "late-rejected"}


ASKED: dict[str, object] = {
    "performative": "request", "protocol": "fipa-request", "conversation_id": "c", "content": 1,
}  # fmt: skip
JADE = "ann@192.0.2.7:1099/JADE"


def test_agents_are_written_as_any_platform_writes_them(tmp_path: Path) -> None:
    there = {
        "name": JADE,
        "addresses": ["http://192.0.2.7:7778/acc"],
        "resolvers": ["ams@192.0.2.7:1099/JADE"],
    }
    asked = ASKED | {"sender": there, "receiver": [{"name": "Bob"}]}
    told = ASKED | {"performative": "refuse", "sender": "Bob@local", "receiver": JADE}
    done = caxton("check", write(tmp_path / "m.jsonl", [asked, told]), "-o", "json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["conversations"]
    assert (found["initiator"], found["state"]) == (JADE, "Completed")


@pytest.mark.parametrize("form", ["json", "fipa-string", "xml"])
def test_what_convert_writes_is_judged(tmp_path: Path, form: str) -> None:
    agree = ASKED | {"performative": "agree", "sender": "bob@local", "receiver": ["ann@local"]}
    asked = ASKED | {"sender": "ann@local", "receiver": [{"name": "bob@local", "addresses": ["http://x/"]}]}
    file = write(tmp_path / "m.jsonl", [asked, agree, agree])
    written = caxton("msg", "convert", "--from", "json", "--to", form, file)
    done = caxton("check", "-", stdin="\ufeff" + written.stdout.replace("\n", "\r\n"))
    assert done.returncode == 7
    assert "3 messages, 1 conversation, 1 violation" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "{line}\n{{\n{answer}\n[]\n",
        "(request :sender (agent-identifier :name a)\n :receiver (agent-identifier :name b))\n"
        '(request :sender ??? "\n({{}})\n'
        "(inform :sender (agent-identifier :name a) :receiver (agent-identifier :name b))\n",
    ],
)
def test_the_rest_of_a_file_is_judged_where_a_line_is_wrong(text: str) -> None:
    line = json.dumps(ASKED | {"sender": "a", "receiver": "b"})
    answer = json.dumps(ASKED | {"sender": "b", "receiver": "a", "performative": "refuse"})
    done = caxton("check", "-", "-o", "json", stdin=text.format(line=line, answer=answer))
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert (len(found["messages"]), len(found["unreadable"])) == (2, 2)
    assert "2 lines not read" in done.stderr
    first = found["unreadable"][0]
    assert first["line"] in (2, 3)
    assert f"not read: line {first['line']}: " in done.stderr


def test_a_violation_counts_more_than_a_line_that_is_wrong() -> None:
    lines = [json.dumps(ASKED | {"sender": "a", "receiver": "b", "performative": "agree"}), "{"]
    assert caxton("check", "-", stdin="\n".join(lines)).returncode == 7


def test_brackets_without_end_are_refused_and_not_followed() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, "(" * 100_000):
        done = caxton("check", "-", stdin=text)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
