"""A project's own protocol: read as FIPA's are, and refused with the line where it makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from caxton.errors import ConfigurationError
from caxton.protocols import library, read_table

from .talk import Talk

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocols.md").read_text("utf-8")
GOOD = """\
name = "haggling"

[states]
asked  = { phase = "collecting", deadline = "gone" }
named  = { phase = "deciding" }
sold   = { end = "success" }
gone   = { end = "fault" }

[table]
# a [ or a { in a comment = nothing
steps = [
  { from = "start", by = "initiator",   act = "cfp",             to = "asked", note = "with a } and a ] inside" },
  { from = "asked", by = "participant", act = "propose",         to = "named" },
  { from = "named", by = "initiator",   act = ["accept-proposal", "agree"], to = "sold" },
]
"""


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    path = tmp_path / "haggling.toml"
    path.write_text(found[1])
    talk = Talk("Haggling", tables=(path,))
    for _ in range(3):
        assert talk.i("cfp").legality == "legal"
        assert talk.p("a", "propose").legality == "legal"
    talk.i("accept-proposal")
    assert (talk.a, talk.state, talk.outcome) == ("sold", "Completed", "awarded")
    talk = Talk("haggling", tables=(path,))
    talk.i("cfp", by=5)
    talk.wait(6)
    assert talk.a == "gone"
    talk = Talk("haggling", tables=(path,))
    talk.i("cfp")
    talk.wait(60.1)
    assert talk.a == "expired"


@pytest.mark.parametrize(
    ("change", "by", "at", "says"),
    [
        ("act = \"propose\"", "act = \"propos\"", "propos\"", "not a FIPA performative"),
        ("to = \"named\"", "to = \"namd\"", "namd", "no state 'namd'"),
        ("named  = {", "lonely = { end = \"fault\" }\nnamed  = {", "lonely", "nothing leads to state 'lonely'"),
        ("by = \"participant\"", "by = \"broker\"", "broker", "by cannot be 'broker'"),
        ("phase = \"deciding\"", "phase = \"dreaming\"", "dreaming", "phase cannot be 'dreaming'"),
        ("{ phase = \"deciding\" }", "{ }", "named  =", "either a phase or an end"),
        ("deadline = \"gone\"", "deadline = \"named\"", "asked  =", "which is no end"),
        ("deadline = \"gone\"", "deadline = \"nowhere\"", "nowhere", "no state 'nowhere'"),
        ("from = \"start\"", "from = \"begin\"", "begin", "no state 'begin'"),
        ("from = \"start\", by = \"initiator\"", "from = \"start\", by = \"participant\"", "start", "cannot begin"),
        ("sold   = { end", "timed-out = { end", "timed-out", "every protocol has"),
        ("to = \"named\" }", "to = \"named\", need = [\"leader\"] }", "need =", "no key 'need'"),
        ("to = \"named\" }", "to = \"named\", needs = [\"luck\"] }", "luck", "no condition 'luck'"),
        ("to = \"named\" }", "to = \"named\", ignored = \"luck\" }", "luck", "no rule 'luck'"),
        ("act = \"propose\"", "act = \"cancel\"", "cancel", "the same in every protocol"),
        ("\"agree\"], to = \"sold\"", "\"agree\"], to = \"gone\", bid = 1", "bid = 1", "bid is true or false"),
        ("name = \"haggling\"", "name = \"hag gling\"", "hag", "no protocol name"),
        ("name = \"haggling\"", "nome = \"haggling\"", "nome", "did you mean 'name'"),
        ("name = \"haggling\"", "name = \"haggling\"\ncancel = 3", "cancel", "true or false"),
        ("name = \"haggling\"", "name = \"haggling\"\ntime_to_live_s = -1", "time_to_live", "number of seconds"),
        (
            "  { from = \"named\"",
            "  { from = \"asked\", by = \"participant\", act = \"propose\", to = \"sold\" },\n  { from = \"named\"",
            "to = \"sold\" },",
            "ambiguous",
        ),
        (
            "  { from = \"named\"",
            "  { from = \"gone\", by = \"participant\", act = \"propose\", to = \"named\" },\n  { from = \"named\"",
            "from = \"gone\"",
            "is an end, and this step leaves it",
        ),
        (
            "named  = {",
            "stuck = { phase = \"executing\" }\nnamed  = {",
            "stuck",
            "nothing leads to state 'stuck'",
        ),
        (
            "[\"accept-proposal\", \"agree\"], to = \"sold\"",
            "\"agree\", to = \"named\"",
            "named  =",
            "no end can be reached from state 'named'",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_on_its_line(change: str, by: str, at: str, says: str) -> None:
    text = GOOD.replace(change, by, 1)
    assert text != GOOD
    if says == "no end can be reached from state 'named'":
        text = text.replace('sold   = { end = "success" }\n', "")
    with pytest.raises(ConfigurationError) as caught:
        read_table(text, "own.toml")
    said = f"{caught.value.message} {caught.value.hint}"
    assert says in said
    assert f"own.toml line {line_of(text, at)}:" in said


def test_steps_may_be_written_as_sections_too() -> None:
    head = GOOD.split("[table]")[0]
    text = head + "".join(
        f'[[table.steps]]\nfrom = "{source}"\nby = "{by}"\nact = "{act}"\nto = "{to}"\n'
        for source, by, act, to in (
            ("start", "initiator", "cfp", "asked"),
            ("asked", "participant", "propose", "named"),
            ("named", "initiator", "agree", "sold"),
        )
    )
    protocol = read_table(text, "own.toml")
    assert [step.line for step in protocol.steps] == [9, 14, 19]


@pytest.mark.parametrize(
    "text", ["name = ", "name = 'x'", "name = 'x'\n[states]\na = 1", "table = 3\nname = 'x'"]
)
def test_what_is_no_table_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_table(text, "own.toml")


@pytest.mark.parametrize("taken", ["fipa-request", "ContractNet"])
def test_a_name_that_is_taken_is_refused(tmp_path: Path, taken: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(GOOD.replace("haggling", taken))
    with pytest.raises(ConfigurationError, match="belongs to fipa-"):
        library([path])
    with pytest.raises(ConfigurationError, match="cannot read"):
        library([tmp_path / "none.toml"])
