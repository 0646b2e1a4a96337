"""What the platform keeps for agents: each has a share, nobody takes all of it, and it ends with the agent."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from bus.harness import Json, Stand, stand
from hypothesis import given
from hypothesis import strategies as st

from caxton.hold import break_points, hold
from caxton.limits import MIB, TREE_WAITING, Limits
from caxton.platform_agents import ams, df, subscriptions, timer, topics
from caxton.platform_agents.quotas import Quota
from caxton.platform_agents.topics import Topics
from caxton.protocols import referee
from caxton.turn_status import Status

TOTAL, OF_ONE = 12, 4


@dataclass
class Resource:
    """One thing that agents take of; the n-th wish of an agent for it, and the constants that bound it."""

    wish: Callable[[str, int], Json]
    module: object
    total: str
    of_one: str
    rows: str
    """The kind of its rows."""
    amount: int = 1


def _subscription(to: str, content: object) -> Callable[[str, int], Json]:
    return lambda name, n: {
        "performative": "subscribe",
        "receiver": to,
        "content": content,
        "conversation_id": f"{name}-{n}",
    }


RESOURCES = {
    "timers": Resource(
        lambda name, n: {
            "performative": "request",
            "receiver": "timer",
            "content": {"after_ms": 60_000, "tag": n},
        },
        timer,
        "TIMERS_MAX",
        "TIMERS_OF_ONE_MAX",
        "timer",
    ),
    "subscriptions to the df": Resource(
        _subscription("df", {"action": "search"}),
        subscriptions,
        "SUBSCRIPTIONS_MAX",
        "SUBSCRIPTIONS_OF_ONE_MAX",
        "subscription",
    ),
    "watches": Resource(
        _subscription("ams", {"action": "search", "description": {"name": "b"}}),
        subscriptions,
        "SUBSCRIPTIONS_MAX",
        "SUBSCRIPTIONS_OF_ONE_MAX",
        "watch",
    ),
    "topics": Resource(
        _subscription("topics", "sensors/*"), topics, "SUBSCRIPTIONS_MAX", "SUBSCRIPTIONS_OF_ONE_MAX", "topic"
    ),
    "retained publications": Resource(
        lambda name, n: {
            "performative": "inform",
            "receiver": f"topic:{name}/{n}",
            "content": "o" * 1_000,
            "x_retain": True,
        },
        topics,
        "RETAINED_BYTES_MAX",
        "RETAINED_BYTES_OF_ONE_MAX",
        "retained",
        amount=1_110,
    ),
}


class Takers:
    """Agents that take of a resource until they are told to have had enough."""

    def __init__(self, runtime: Stand, resource: Resource) -> None:
        self.runtime = runtime
        self.resource = resource
        self._wishes = count()
        self.topics = Topics(runtime.bus, 900, runtime.bus.delivery.offer)
        runtime.bus.host(self.topics)
        runtime.bus.delivery.publish_by(self.topics.publish)

    async def takes(self, name: str, times: int) -> list[str]:
        """The agent asks so often; with what it was refused."""
        after = self.runtime.bus.last_seq
        self.runtime.ask(name)
        self.runtime.cell.end(*(self.resource.wish(name, next(self._wishes)) for _ in range(times)))
        while self.runtime.cell.frames:
            self.runtime.cell.end()
        said = [
            one for one in await self.runtime.messages(after) if one["performative"] in ("failure", "refuse")
        ]
        return [one["content"]["reason"] for one in said]

    async def rows(self, name: str) -> int:
        """How much of it the journal has of that agent."""
        await self.runtime.commit()
        kept = await self.runtime.journal.reader.directory(self.resource.rows)
        return sum(f'"{name}@local"' in (row.body or "") for row in kept)

    def remove(self, name: str) -> None:
        """What the daemon does when an agent is removed."""
        runtime, full = self.runtime, f"{name}@local"
        del runtime.bus.endpoints[full]
        for agent in (runtime.ams, runtime.df, runtime.timer, self.topics):
            agent.removed(full)


@pytest.mark.parametrize("of", RESOURCES)
async def test_an_agent_has_its_share_and_leaves_some_to_others_and_all_when_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    resource = RESOURCES[of]
    monkeypatch.setattr(resource.module, resource.total, TOTAL * resource.amount)
    monkeypatch.setattr(resource.module, resource.of_one, OF_ONE * resource.amount)
    async with stand(tmp_path) as runtime:
        takers = Takers(runtime, resource)
        for name in "abcde":
            runtime.agent(name)
        refused = await takers.takes("a", OF_ONE + 3)
        assert len(refused) == 3
        assert "share" in refused[0]
        assert await takers.rows("a") == OF_ONE
        for greedy in "bc":
            await takers.takes(greedy, OF_ONE + 3)
        left = [await takers.rows(name) for name in "abc"]
        refused = await takers.takes("d", 1)
        assert (refused, await takers.rows("d")) == ([], 1), f"three greedy ones left nothing: {left}"
        refused = await takers.takes("c", 2)
        assert "are left" in refused[-1]
        takers.remove("a")
        assert await takers.rows("a") == 0
        await takers.takes("e", OF_ONE)
        assert await takers.rows("e") > 1, "what a removed agent had is there for others"


async def test_an_agent_can_register_however_many_others_a_client_has_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(df, "OTHERS_MAX", 3)
    async with stand(tmp_path) as runtime:
        runtime.agent("own")

        def register(name: str) -> None:
            runtime.ask("df", {"action": "register", "description": {"name": name}})

        for n in range(5):
            register(f"operator.{n}")
        register("own")
        assert len(runtime.df.entries()) == 4
        runtime.df.removed("own@local")
        assert len(runtime.df.entries()) == 3


def test_the_table_of_shares_has_the_bounds_that_hold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    table = page.partition("## Shares")[2].partition("## Environment")[0]
    for what, *bounds in (
        ("timers", timer.TIMERS_OF_ONE_MAX, timer.TIMERS_MAX),
        ("beats a second of timers that repeat", timer.BEATS_OF_ONE_MAX),
        ("registrations in `df`, 16 KiB each", df.OTHERS_MAX),
        ("clients registered in `ams`", ams.CLIENTS_MAX),
        ("subscriptions to `df`", subscriptions.SUBSCRIPTIONS_OF_ONE_MAX, subscriptions.SUBSCRIPTIONS_MAX),
        ("subscriptions to topics", topics.SUBSCRIPTIONS_OF_ONE_MAX, topics.SUBSCRIPTIONS_MAX),
        ("retained publications", topics.RETAINED_BYTES_OF_ONE_MAX // MIB, topics.RETAINED_BYTES_MAX // MIB),
        ("messages that wait", Limits().mailbox, Limits().mailbox_bytes // MIB),
        ("messages of one causal tree that wait", TREE_WAITING),
        ("break points", break_points.BREAKS_MAX),
        ("held messages", hold.HELD_MAX, hold.HELD_BYTES_MAX // MIB),
        ("conversations that the referee knows", referee.KEPT),
        ("log records", Limits().log_lines),
    ):
        (row,) = [line for line in table.splitlines() if line.startswith(f"| {what} |")]
        for bound in bounds:
            assert re.search(rf"\b{bound:,}\b", row), (what, bound)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 5)), max_size=80))
def test_who_has_nothing_gets_something_unless_the_last_went_to_many(wishes: list[tuple[str, int]]) -> None:
    quota: Quota[int] = Quota("things", 40, 25)
    had = dict.fromkeys("abcd", 0)
    for key, (owner, amount) in enumerate(wishes):
        if quota.why_not(owner, amount) is None:
            quota.take(owner, key, amount)
            had[owner] += amount
    assert sum(had.values()) < 40
    assert max(had.values()) <= 20 + 5 // 2, "half of it, and half of what one taking may be"
    assert quota.why_not("late") is None


async def test_a_mailbox_is_bounded_in_bytes_and_says_so(tmp_path: Path) -> None:
    async with stand(tmp_path, mailbox_bytes=10_000) as runtime:
        slow = runtime.agent("slow", running=False)
        runtime.agent("loud")
        runtime.ask("loud")
        runtime.cell.end(
            *({"performative": "inform", "receiver": "slow", "content": "o" * 3_000} for _ in range(6))
        )
        assert slow.depth == 4, "the one that reaches the bound still comes in"
        notice = runtime.cell.end().message
        assert notice["performative"] == "failure"
        assert "limits.mailbox_bytes" in notice["content"]["reason"]
        assert [code for _, _, code in await runtime.letters()] == ["mailbox_full"] * 2
        with pytest.raises(Exception, match="at most 10,000") as refused:
            runtime.ask("slow")
        assert refused.type.__name__ == "MailboxFull"
        runtime.run(slow)
        runtime.cell.end()
        runtime.ask("slow")
        assert slow.held_bytes == held(slow)


def held(endpoint: object) -> int:
    queues = (endpoint.waiting, endpoint.in_flight, endpoint.returned)  # type: ignore[attr-defined]
    return sum(len(one.body) for queue in queues for one in queue)


async def test_what_a_mailbox_holds_is_counted_rightly_whatever_becomes_of_it(tmp_path: Path) -> None:
    async with stand(tmp_path, urgent=5) as runtime:
        agent = runtime.agent("agent")
        other = runtime.agent("other", running=False)
        for n in range(40):
            runtime.ask("agent", n)
        runtime.ask("agent", "urgent", x_priority="urgent")
        assert agent.held_bytes == held(agent) > 0
        runtime.cell.end({"performative": "inform", "receiver": ["agent", "other"], "content": "x" * 100})
        runtime.cell.end(status=Status.UNHANDLED)
        runtime.cell.fail(Status.TRAP, "trap")
        assert agent.held_bytes == held(agent)
        runtime.bus.lose_cell(agent, [agent.oldest()])
        assert agent.held_bytes == held(agent)
        agent.take_out(lambda one: b"7" in one.body)
        assert agent.held_bytes == held(agent)
        assert other.held_bytes == held(other) > 100
