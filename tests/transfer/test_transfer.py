"""An agent that is taken along comes with all that it had, or not at all; who waits for it is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from testing.orders import EXAMPLES

from caxton.errors import AgentExists, CaxtonError, InvalidState, WouldLose
from caxton.example_modules import module
from caxton.platform_agents.timer_rows import TimerRow
from caxton.sandbox.python.runtime import packed
from caxton.testing import Agent, Crashed, System, runtime
from caxton.transfer import Bundle, Exported, Imported, read_bundle, write_bundle

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("python_runtime")]

COUNTER, ECHO = module("counter"), module("echo")
TRAVELLER = b"""
from caxton_agent import name, reply, send, state
def handle(message):
    content, heard = message["content"], state.setdefault("heard", [])
    if message["sender"].startswith("operator") and message["receiver"] == ["it@local"]:
        if content == "tell":
            return reply("inform", heard)
        if message.get("protocol"):
            return reply("agree")
        for act, receiver, what, more in content:
            send(act, receiver, what, **more)
    else:
        heard.append([message["sender"].partition("@")[0], message["performative"], content])
"""
"""Says what it is told to, and remembers what it hears."""
BUILD = packed(EXAMPLES / "traveller.py", TRAVELLER)
LOOK = {"action": "search", "description": {"services": [{"type": "shop"}]}}
LUGGAGE: list[Any] = [
    ("request", "timer", {"after_ms": 60_000, "tag": {"n": 1}}, {}),
    ("request", "timer", {"every_ms": 50_000, "tag": "beat", "count": 2}, {"conversation_id": "beats"}),
    ("request", "timer", {"cron": "0 0 1 1 *", "zone": "Europe/Berlin", "tag": "new year"}, {}),
    (
        "request",
        "df",
        {"action": "register", "description": {"name": "it", "services": [{"type": "walk"}]}},
        {"protocol": "fipa-request"},
    ),
    ("subscribe", "df", LOOK, {"protocol": "fipa-subscribe", "conversation_id": "shops", "reply_with": "r"}),
    ("subscribe", "ams", {"name": "c*"}, {"protocol": "fipa-subscribe", "conversation_id": "lives"}),
    ("subscribe", "topics", {"topic": "news/*"}, {"protocol": "fipa-subscribe", "conversation_id": "news"}),
]
Json = dict[str, Any]


def pack(system: System) -> None:
    """Give the traveller its luggage."""
    system.send(LUGGAGE, to="it")
    system.until_quiet(0.1)


def export(system: System, name: str = "it", **how: bool) -> Exported:
    return system.run(system.runtime.transfer.export(name, **how))


def leave(system: System, name: str, moment: int) -> None:
    system.run(system.runtime.transfer.leave(name, moment))


def take_in(system: System, data: bytes, **how: bool) -> Imported:
    return system.run(system.runtime.transfer.take_in(data, **how))


def has(system: System, name: str = "it") -> tuple[int, bool, int, list[str]]:
    """Timers, an entry in the df, subscriptions, topics."""
    services, full = system.runtime, f"{name}@local"
    assert services.topics is not None
    watches = services.df.watches.of(full) + services.ams.watches.of(full)
    return (
        services.timer.count(full),
        full in services.df.directory.entries,
        len(watches),
        services.topics.of(full),
    )


ALL = (3, True, 2, ["news/*"])
NOTHING: tuple[int, bool, int, list[str]] = (0, False, 0, [])


def heard(system: System) -> list[Any]:
    found: list[Any] = system.ask("tell", to="it")["content"]
    return found


def packed_up() -> bytes:
    """The traveller's bundle."""
    with runtime({"it": BUILD}) as system:
        pack(system)
        return export(system).data


def test_it_leaves_after_a_turn_and_who_waits_is_told() -> None:
    with runtime({"it": BUILD, "c": COUNTER}) as system:
        pack(system)
        ask: Json = {"protocol": "fipa-request", "conversation_id": "open"}
        system.send("walk", to="it", sender="operator.tim", **ask)
        system.until_quiet(0.1)
        before = heard(system)
        made = export(system)
        assert (made.ran, system.runtime.agents.view("it").state) == (True, "suspended")
        assert has(system) == ALL
        # nothing has ended yet: it goes on as if nothing had been
        system.run(system.runtime.agents.resume("it"))
        assert heard(system) == before
        with pytest.raises(InvalidState, match="may not be as it was"):
            leave(system, "it", made.manifest.moment)
        export(system)
        system.run(system.runtime.journal.written())
        system.restart()
        with pytest.raises(InvalidState, match="may not be as it was"):
            leave(system, "it", made.manifest.moment)
        made = export(system)
        assert not made.ran
        leave(system, "it", made.manifest.moment)
        assert (has(system), system.runtime.agents.view("it").desired) == (NOTHING, "stopped")
        system.until_quiet(0.1)
        (told,) = system.messages(conversation_id="open", performative="failure")
        assert told["receiver"] == ["operator.tim@local"]
        # the file may be lost: its memory is here until it is removed
        system.run(system.runtime.agents.start("it"))
        assert heard(system)[: len(before)] == before
        system.run(system.runtime.agents.remove("it"))
        with pytest.raises(
            WouldLose, match="its subscription to df in 'shops': a conversation of that name was held"
        ):
            take_in(system, made.data)


def test_it_comes_with_all_that_it_had() -> None:
    with runtime({"it": BUILD}) as there:
        pack(there)
        remembered = heard(there)
        there.advance(20)
        made = export(there)
        now_us = there.now_us
    with runtime({"c": COUNTER}) as here:
        here.advance((now_us - here.now_us) / 1e6)
        done = take_in(here, made.data)
        assert (done.lost, done.deployment.memory) == ([], "carried")
        here.until_quiet(0.1)
        assert has(here) == ALL
        found = heard(here)
        assert found[: len(remembered)] == remembered
        # it is told what is so here, as when it subscribed first
        told = [(sender, act) for sender, act, _ in found[len(remembered) :]]
        assert told == [("ams", "inform"), ("df", "inform"), ("topics", "agree")]
        here.ask(
            {"action": "register", "description": {"name": "c", "services": [{"type": "shop"}]}}, to="df"
        )
        here.send("hot", to="topic:news/weather", performative="inform")
        here.run(here.runtime.agents.stop("c"))
        here.run(here.runtime.journal.written())
        here.restart()
        here.advance(45)
        later = [one[2] for one in heard(here)[len(found) :]]
        assert [one["change"]["what"] for one in later[:1]] == ["registered"]
        assert later[1] == "hot"
        assert later[2]["change"]["what"] == "stopped"
        # 30 s after it came, and 40: once each, the beat again later
        assert [one["tag"] for one in later[3:]] == ["beat", {"n": 1}]
        # its conversations with the platform go on, by the referee too
        here.send([("cancel", "df", None, {"conversation_id": "shops", "reply_with": "c"})], to="it")
        here.send([("cancel", "timer", None, {"conversation_id": "beats"})], to="it")
        here.advance(100)
        assert [one[:2] for one in heard(here)[len(found) + 5 :]] == [["df", "inform"], ["timer", "inform"]]
        assert has(here) == (1, True, 1, ["news/*"])


def test_a_copy_leaves_it_as_it_was() -> None:
    with runtime({"c": COUNTER, "other": ECHO}) as system:
        system.ask({"add": 5}, to="c")
        made = export(system, "c", keep=True)
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 6}
        with pytest.raises(AgentExists, match="there is an agent c here"):
            take_in(system, made.data)
        system.run(system.runtime.agents.remove("c"))
        take_in(system, made.data)
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 6}
        system.kill_cell()
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 7}
        system.restart()
        assert system.ask({"add": 1}, to="c")["content"] == {"count": 8}


def test_an_import_is_whole_or_never_was() -> None:
    """The power goes at each step of it."""
    data, found = packed_up(), {True: 0, False: 0}
    for steps in range(1, 40):
        with runtime({"c": COUNTER}) as system:
            system.crash_after(steps)
            try:
                take_in(system, data)
                system.run(system.runtime.journal.written())
                system.crash_after(None)
                break
            except Crashed:
                system.crash_after(None)
                system.start()
            system.until_quiet(0.1)
            is_there = "it" in system.runtime.agents.registry.agents
            found[is_there] += 1
            assert has(system) == (ALL if is_there else NOTHING)
            if is_there:
                assert len(heard(system)) == 7
    assert min(found.values()) > 0
    assert sum(found.values()) > 5


def test_what_cannot_come_along_is_named_where_it_leaves() -> None:
    with runtime({"e": ECHO, "f": Agent(ECHO, recover="fresh")}) as system:
        assert export(system, "e", keep=True).manifest.lost == []
        system.ask("x", to="e")
        system.ask("x", to="f")
        assert export(system, "f", keep=True).manifest.lost == []
        with pytest.raises(
            WouldLose, match=r"e would lose: its memory: its build has no caxton_snapshot"
        ) as lost:
            export(system, "e")
        assert lost.value.details["lost"] == [
            "its memory: its build has no caxton_snapshot and caxton_restore"
        ]
        assert system.ask("x", to="e")["content"] == "x"
        made = export(system, "e", force=True)
        assert made.manifest.lost == lost.value.details["lost"]
        system.run(system.runtime.agents.remove("e"))
        assert take_in(system, made.data).deployment.memory is None
        system.ask({"action": "create", "description": {"name": "kid", "like": "f"}}, to="ams")
        system.run(system.runtime.agents.stop("f"))
        with pytest.raises(InvalidState, match="f is loaded"):
            export(system, "f")


LOST = {
    "a limit": ({"limits": {"mailbox": 1_000}}, "limits.mailbox: 10,000 there, 1,000 here"),
    "room for its memory": (
        {"limits": {"snapshot_bytes": 256}},
        r"its memory: \d[\d,]* bytes, limits.snapshot_bytes is 256",
    ),
    "a name": ({"platform": "mars"}, "its name: it is it@local there and it@mars here"),
    "topics": (
        {"agents": {"topics": {"wasm": "none.wasm"}}},
        "its subscription to topics in 'news': an agent has that name here",
    ),
}


@pytest.mark.parametrize(("config", "lost"), LOST.values(), ids=LOST.keys())
def test_what_would_be_lost_is_named_where_it_comes(config: Json, lost: str) -> None:
    data = packed_up()
    with runtime({"c": COUNTER}, config=config) as system:
        with pytest.raises(WouldLose, match=f"it would lose here: {lost}"):
            take_in(system, data)
        assert "it" not in system.runtime.agents.registry.agents
        done = take_in(system, data, force=True)
        assert done.lost
        assert (done.deployment.memory is None) == ("memory" in lost)
        assert system.runtime.timer.armed == 3


def test_rights_and_makers_do_not_come_along_in_silence() -> None:
    config: Json = {"agents": {"it": {"wasm": "it.wasm", "may": ["create", "destroy"]}}}
    with runtime({"it": COUNTER, "c": COUNTER}, config=config) as system:
        assert export(system, keep=True).manifest.may == ["create", "destroy"]
        system.ask({"action": "create", "description": {"name": "kid", "like": "c"}}, to="ams")
        kid = export(system, "kid", keep=True)
        data = export(system).data
    with runtime({"c": COUNTER}) as system:
        with pytest.raises(WouldLose, match=r"its right 'create': give it in caxton.toml, \[agents.it\] may"):
            take_in(system, data)
        with pytest.raises(WouldLose, match="its maker: 'operator@local' has nothing to say"):
            take_in(system, kid.data)
    with runtime({"c": COUNTER}, config=config) as system:
        assert take_in(system, data).lost == []


def test_a_state_that_its_build_does_not_take_keeps_all_of_it_out() -> None:
    data = packed_up()
    bundle = read_bundle(data)
    with runtime({"c": COUNTER}) as system:
        wrong = Bundle(bundle.manifest, bundle.module, b"no state" + b" " * (len(bundle.memory or b"") - 8))
        with pytest.raises(CaxtonError):
            take_in(system, write_bundle(wrong))
        assert "it" not in system.runtime.agents.registry.agents
        assert has(system) == NOTHING
        system.restart()
        assert "it" not in system.runtime.agents.registry.agents
        take_in(system, data)
        assert has(system) == ALL


ROW = {"trace_id": "a" * 32, "set_us": 1, "due_us": 2, "whole_us": 1, "tag": msgspec.Raw(b'"t"')}
NO_TIMERS: list[Json] = [
    {"due_us": 1 << 62},
    {"whole_us": -1},
    {"receivers": ["two words"]},
    {"receivers": []},
    {"conversation_id": "\0"},
    {"trace_id": "x"},
    {"beat": -1},
    {"every_us": 1},
    {"every_us": 1000, "count": -1},
    {"cron": "every day"},
    {"cron": "0 0 * * *", "zone": "Mars/Olympus"},
]
NO_SERVICES: list[Any] = [3, [], {"services": 3}, {"services": [{}]}, {"colour": 1}, {"lease-time": "x"}]


def test_what_no_agent_could_have_asked_for_is_named_and_never_taken() -> None:
    bundle = read_bundle(packed_up())
    usual = {"seq": 1, "owner": "it@local", "conversation_id": "c", "receivers": ["it@local"], **ROW}
    timers = [TimerRow(**{**usual, **wrong}) for wrong in NO_TIMERS]
    with runtime({"c": COUNTER}) as system:
        for services in NO_SERVICES:
            manifest = msgspec.structs.replace(
                bundle.manifest, timers=timers, services=msgspec.Raw(msgspec.json.encode(services))
            )
            data = write_bundle(Bundle(manifest, bundle.module, bundle.memory))
            with pytest.raises(WouldLose) as lost:
                take_in(system, data)
            named = lost.value.details["lost"]
            assert [one.partition(":")[0] for one in named] == [
                "its entry in the df",
                *['its timer "t"'] * len(timers),
            ]
        take_in(system, data, force=True)
        assert has(system) == (0, False, 2, ["news/*"])
