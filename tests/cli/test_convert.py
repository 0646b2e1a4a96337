"""`caxton msg convert`: from each form to each, from files and stdin, and mistakes with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import caxton

MESSAGE = {
    "performative": "cfp",
    "sender": {"name": "Buyer@There:1099/JADE", "addresses": ["http://there:7778/acc"]},
    "receiver": ["ann@local"],
    "content": {"item": 'a "book"\n'},
    "conversation_id": "6f1c-1",
    "reply_by": "5s",
    "x_JADE-trace": True,
}
FORMS = ("json", "fipa-string", "xml")


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("second", FORMS)
def test_every_form_into_every_other_and_back(first: str, second: str) -> None:
    text = json.dumps(MESSAGE)
    for before, after in (("json", first), (first, second), (second, "json")):
        said = caxton("msg", "convert", "--from", before, "--to", after, "-", stdin=text)
        assert said.returncode == 0, said.stderr
        text = said.stdout
    assert json.loads(text) == MESSAGE


def test_several_messages_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(f"{json.dumps(MESSAGE)}\n{json.dumps({**MESSAGE, 'performative': 'inform'})}\n")
    said = caxton("msg", "convert", file, "--to", "xml")
    assert said.stdout.count("<fipa-message ") == 2
    back = caxton("msg", "convert", "--from", "xml", "--to", "json", stdin=said.stdout)
    assert [json.loads(line)["performative"] for line in back.stdout.splitlines()] == ["cfp", "inform"]


@pytest.mark.parametrize(
    ("form", "text", "place"),
    [
        ("fipa-string", '(inform\n :content "a" :recever b)', "stdin: line 2 column 15: expected :sender"),
        (
            "xml",
            '<fipa-message act="inform">\n<contents/></fipa-message>',
            "stdin: line 2 column 1: expected <sender>",
        ),
        ("json", '{"performative": "inform",\n}', "stdin: the message is not JSON"),
        ("json", '{"performative": "inform"}\n{"performative": "shout"}\n', "stdin: line 2: 'shout'"),
        ("fipa-string", " ", "stdin: there is no message in it"),
    ],
)
def test_a_mistake_is_named_with_its_place(form: str, text: str, place: str) -> None:
    said = caxton("msg", "convert", "--from", form, stdin=text)
    assert said.returncode == 2
    assert said.stdout == ""
    assert said.stderr.startswith(f"error: {place}")
    assert "Traceback" not in said.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = caxton("msg", "convert", tmp_path / "none.acl")
    assert said.returncode == 2
    assert "none.acl cannot be read" in said.stderr


def test_the_whole_message_leaves_nothing_to_say_for_other_options(tmp_path: Path) -> None:
    said = caxton(
        "msg", "send", "--acl", "-", "--to", "echo", "--conversation", "c", cwd=tmp_path, stdin="(inform)"
    )
    assert said.returncode == 2
    assert "beside it there is no --conversation, --to" in said.stderr


def test_somebody_must_get_it(tmp_path: Path) -> None:
    said = caxton("msg", "send", "--content", "1", cwd=tmp_path)
    assert said.returncode == 2
    assert "--to NAME" in said.stderr
