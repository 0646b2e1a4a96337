"""The chain to a message, the place where two runs part, and side worlds that go on from a message."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from scenario.files import DEARER, EXAMPLES, traded_market

from caxton.config import load
from caxton.errors import AgentNotFound, ConfigurationError, InvalidMessage, JournalError, MessageNotFound
from caxton.history import Change, Forked, Parting, difference, fork, why
from caxton.history.reading import opened
from caxton.journal import Reader
from caxton.testing import runtime

T = TypeVar("T")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_market(tmp_path_factory.mktemp("history"))


def read(path: Path, ask: Callable[[Reader], Coroutine[Any, Any, T]]) -> T:
    async def asked() -> T:
        async with opened(path) as reader:
            return await ask(reader)

    return asyncio.run(asked())


def numbered(market: Path, conversation: str, act: str, sender: str) -> int:
    """The message of that kind."""

    async def find(reader: Reader) -> int:
        rows = await reader.messages(conversation=conversation, performative=act)
        return next(row.seq for row in rows if f'"sender":"{sender}@local"'.encode() in row.body)

    return read(market / ".caxton" / "journal.db", find)


def forked(market: Path, conversation: str, at: int, change: Change | None = None) -> Forked:
    return fork(load(market, {}), conversation, str(at), change or Change(), seconds=60)


def reported(found: Forked) -> Any:
    """What the buyer told the operator in the side world."""
    (said,) = (one for one in found.said if one.message.receiver == ["operator@local"])
    return said.message.content


# ------------------------------------------------------------------ why


def test_the_chain_to_a_message_begins_outside(market: Path) -> None:
    seq = numbered(market, "market-1", "accept-proposal", "buyer")
    links = read(market / ".caxton" / "journal.db", lambda reader: why(reader, str(seq)))
    assert [one.body.message.performative for one in links] == [
        "request",
        "cfp",
        "propose",
        "accept-proposal",
    ]
    assert [one.state for one in links] == ["start", "start", "cfp-sent", "proposed"]
    assert [one.turn.agent if one.turn else None for one in links[:2]] == [
        "buyer@local",
        links[2].body.message.sender,
    ]
    assert links[1].turn is not None
    assert links[1].turn.revision is not None
    assert links[-1].turn is None
    by_id = read(market / ".caxton" / "journal.db", lambda reader: why(reader, links[-1].body.message.id))
    assert [one.body.seq for one in by_id] == [one.body.seq for one in links]


def test_what_waited_in_the_mailbox_is_named(tmp_path: Path) -> None:
    """Two requests at once: while the first is handled the second waits."""
    with runtime({"counter": (EXAMPLES / "counter" / "counter.wasm").read_bytes()}) as system:
        first = system.submit({"add": 1}, to="counter").seq
        second = system.submit({"add": 2}, to="counter").seq
        system.until_quiet()
        path = tmp_path / "run.db"
        path.write_bytes(system.disk.image())
        (answer,) = (one for one in system.messages(sender="counter@local") if one["content"] == {"count": 1})
    links = read(path, lambda reader: why(reader, answer["id"]))
    assert links[0].body.seq == first
    assert [one.seq for one in links[0].waiting] == [second]


@pytest.mark.parametrize("message", ["0", "9999", "x", "24298597-3a08-87c4-9d6c-000000000001"])
def test_a_message_that_is_none(market: Path, message: str) -> None:
    with pytest.raises(MessageNotFound, match="there is no message"):
        read(market / ".caxton" / "journal.db", lambda reader: why(reader, message))


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no journal"):
        read(tmp_path / "none.db", lambda reader: why(reader, "1"))
    (tmp_path / "text.db").write_text("nothing of the kind, and long enough to be looked at\n" * 20)
    with pytest.raises(JournalError):
        read(tmp_path / "text.db", lambda reader: why(reader, "1"))


# ------------------------------------------------------------------ diff


def run(folder: Path, market: Path, item: str, seed: int) -> Path:
    with runtime(market, seed=seed) as system:
        system.send({"action": "buy", "item": item, "rounds": 1}, to="buyer", protocol="fipa-request")
        system.until_quiet()
        path = folder / f"{item}-{seed}.db"
        path.write_bytes(system.disk.image())
    return path


def parting(one: Path, other: Path) -> Parting | None:
    async def both() -> Parting | None:
        async with opened(one) as first, opened(other) as second:
            return await difference(first, second)

    return asyncio.run(both())


def test_two_runs_part_where_something_else_is_said(market: Path, tmp_path: Path) -> None:
    book = run(tmp_path, market, "book", 1)
    # ids of conversations and messages are the seed's, and so are times
    assert parting(book, book) is None
    pen = parting(book, run(tmp_path, market, "pen", 1))
    assert pen is not None
    assert pen.alike == 0
    assert pen.first is not None
    assert pen.second is not None
    assert pen.second.message.content["item"] == "pen"
    longer = parting(book, market / ".caxton" / "journal.db")
    assert longer is not None


# ------------------------------------------------------------------ fork


def test_a_fork_without_a_change_goes_on_as_it_did(market: Path) -> None:
    before = (market / ".caxton" / "journal.db").read_bytes()
    found = forked(market, "market-3", numbered(market, "market-3", "propose", "seller-cleo"))
    assert not found.notes
    ends = [one.message.content for one in found.before if one.message.performative == "inform"]
    assert ends == [
        one.message.content for one in found.conversation.items if one.message.performative == "inform"
    ]
    assert found.conversation.state == "Completed"
    # the buyer's whole order goes on: a timer, another round, and its report
    assert reported(found)["bought"] == 2
    assert (market / ".caxton" / "journal.db").read_bytes() == before


def test_one_offer_less_high_is_the_one_that_is_taken(market: Path) -> None:
    seq = numbered(market, "market-1", "propose", "seller-cleo")
    found = forked(market, "market-1", seq, Change({"content.price": 9}))
    accepted = [one for one in found.conversation.items if one.message.performative == "accept-proposal"]
    assert [(one.message.receiver, one.message.content["price"]) for one in accepted] == [
        (["seller-cleo@local"], 9)
    ]
    assert reported(found)["spent"] < reported(forked(market, "market-1", seq))["spent"]


def test_another_build_remembers_and_says_something_else(market: Path) -> None:
    seq = numbered(market, "market-4", "cfp", "buyer")
    dearer = (market / "seller.wasm").read_bytes().replace(*DEARER)
    found = forked(market, "market-4", seq, Change(builds={"seller-bob": dearer}))

    def offers(of: Any) -> dict[str, Any]:
        return {
            one.message.sender: one.message.content.get("price")
            for one in of
            if one.message.performative == "propose"
        }

    was, now = offers(found.before), offers(found.conversation.items)
    assert was["seller-bob@local"] != now["seller-bob@local"]
    assert was["seller-ann@local"] == now["seller-ann@local"]


@pytest.mark.parametrize(
    ("conversation", "change", "error", "why"),
    [
        ("market-1", Change({"sender": "x"}), ConfigurationError, "cannot be changed"),
        ("market-1", Change({"content.price.more": 1}), ConfigurationError, "nothing is at"),
        ("market-1", Change({"performative": "shout"}), InvalidMessage, "shout"),
        ("market-1", Change(builds={"nobody": b""}), AgentNotFound, "no agent 'nobody'"),
        ("market-3", Change(), MessageNotFound, "none of conversation market-3"),
    ],
)
def test_what_cannot_be_forked(
    market: Path, conversation: str, change: Change, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        forked(market, conversation, numbered(market, "market-1", "propose", "seller-cleo"), change)


def test_a_moved_project_and_a_missing_module_say_so(market: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(market, tmp_path / "market"))
    seq = numbered(folder, "market-1", "propose", "seller-cleo")
    assert forked(folder, "market-1", seq).conversation.state == "Completed"
    shutil.rmtree(folder / ".caxton" / "modules")
    (folder / ".caxton" / "modules").mkdir(mode=0o700)
    with pytest.raises(Exception, match="is not in the cache any more"):
        forked(folder, "market-1", seq)
