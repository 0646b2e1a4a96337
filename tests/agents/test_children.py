"""Agents that make agents: who may, how many, what becomes of them; over crashes and restarts too."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from caxton.acl import Draft, Performative
from caxton.example_modules import folder, module
from caxton.limits import Limits
from caxton.testing import Agent, Crashed, System, runtime

COUNTER, ROGUE = module("counter"), module("rogue")
DISPATCHER, WORKER = ((folder("orders") / f"{name}.wasm").read_bytes() for name in ("dispatcher", "worker"))
ORDERS: dict[str, Agent | bytes] = {"dispatcher": Agent(DISPATCHER, settings={"tries": 2}), "worker": WORKER}
Json = dict[str, Any]


def config(**more: Any) -> Json:
    """What caxton.toml would say of the dispatcher, as far as it concerns its rights."""
    return {"agents": {"dispatcher": {"wasm": "dispatcher.wasm", "may": ["create"], **more}}}


def ams(system: System, action: str, **description: Any) -> Json:
    """What the ams answers to a client."""
    return system.ask({"action": action, "description": description}, to="ams")


def names(system: System) -> list[str]:
    return sorted(system.runtime.agents.registry.agents)


def order(system: System, **task: Any) -> None:
    system.send({"order": 7, **task}, to="dispatcher", sender="operator.tim")
    system.until_quiet(0.3)


def answers(system: System) -> list[tuple[str, Any]]:
    said = system.messages(receiver="operator.tim@local")
    return [(one["performative"], one.get("content")) for one in said if one["performative"] != "agree"]


def events(system: System) -> list[Json]:
    return [one["content"] for one in system.messages(ontology="caxton-children")]


# ---------------------------------------------------------------------- making


def test_a_client_has_an_agent_made_like_another() -> None:
    with runtime({"c": Agent(COUNTER, settings={"a": 1})}) as system:
        said = ams(system, "create", prefix="w", like="c", limits={"mailbox": 7})
        assert said["content"]["done"] is True
        assert said["content"]["description"] == {
            "name": "w-1@local",
            "maker": "operator@local",
            "state": "active",
        }
        view = system.runtime.agents.view("w-1")
        assert (view.settings, view.limits.mailbox) == ({"a": 1}, 7)
        assert system.ask({"add": 2}, to="w-1")["content"] == {"count": 2}
        assert view.revision is not None
        flat = system.ask({"action": "create", "name": "x", "like": view.revision[:12]}, to="ams")
        assert flat["content"]["description"]["name"] == "x@local"
        found = ams(system, "search", maker="operator")["content"]["result"]
        assert [one["name"] for one in found] == ["w-1@local", "x@local"]
        sl0 = system.ask(
            "((action (agent-identifier :name ams@local) (create (caxton-agent-description :prefix w :like c))))",
            to="ams",
            language="fipa-sl0",
        )
        assert ":name (agent-identifier :name w-2@local)" in sl0["content"]


@pytest.mark.parametrize(
    ("description", "error", "arguments"),
    [
        ({"name": "x"}, "missing-parameter", ["caxton-agent-description", "like"]),
        ({"like": "c"}, "missing-parameter", ["caxton-agent-description", "name or prefix"]),
        ({"name": "x", "like": "nobody"}, "unrecognised-parameter-value", ["like", "nobody"]),
        ({"name": "c", "like": "c"}, "already-registered", []),
        ({"name": "C", "like": "c"}, "already-registered", []),
        ({"name": "ams", "like": "c"}, "unrecognised-parameter-value", ["name", "ams"]),
        (
            {"name": "x", "like": "c", "on_failure": "sing"},
            "unrecognised-parameter-value",
            ["on-failure", "sing"],
        ),
        ({"name": "x", "like": "c", "limits": {"mailbox": 0}}, "unrecognised-parameter-value", None),
        ({"name": "x", "like": "c", "settings": 3}, "unrecognised-parameter-value", ["settings", "3"]),
        (
            {"name": "x", "like": "c", "colour": 3},
            "unexpected-parameter",
            ["caxton-agent-description", "colour"],
        ),
    ],
)
def test_a_wrong_wish_is_declined_by_name(description: Json, error: str, arguments: list[str] | None) -> None:
    with runtime({"c": COUNTER}) as system:
        said = ams(system, "create", **description)["content"]
        assert said["error"] == error
        if arguments is not None:
            assert said["arguments"] == arguments
        assert names(system) == ["c"]


def test_an_agent_without_the_right_is_refused_with_the_key_to_set() -> None:
    with runtime(ORDERS) as system:
        order(system)
        (said,) = (one for one in system.messages(performative="refuse", sender="ams@local")[:1])
        assert said["content"]["error"] == "unauthorised"
        assert said["content"]["hint"] == 'in caxton.toml: [agents.dispatcher] may = ["create"]'
        assert answers(system)[0][0] == "failure"
        assert names(system) == ["dispatcher", "worker"]


@pytest.mark.parametrize(
    ("bound", "key"),
    [
        ({"children": 0}, "children"),
        ({"children_mib": 1}, "children_mib"),
        ({"children_per_s": 1}, "children_per_s"),
    ],
)
def test_a_maker_has_a_share_and_no_more(bound: Json, key: str) -> None:
    with runtime(ORDERS, config=config(**bound)) as system:
        order(system)
        order(system)
        refused = [one["content"] for one in system.messages(sender="ams@local", performative="failure")]
        assert any(key in (one["hint"] or "") for one in refused)


def test_children_have_no_more_than_their_maker() -> None:
    with runtime({"boss": Agent(COUNTER, limits=Limits(mailbox=50)), "c": COUNTER}, config=boss()) as system:
        said = say(system, "create", name="kid", like="c")
        assert said["performative"] == "inform"
        assert system.runtime.agents.view("kid").limits == Limits(mailbox=50)
        over = say(system, "create", name="big", like="c", limits={"mailbox": 51})
        assert (over["performative"], over["content"]["arguments"]) == ("refuse", ["limits", "mailbox"])
        rights = say(system, "create", name="sly", like="c", may=["suspend"])
        assert rights["content"]["error"] == "unauthorised"


def test_children_of_children_count_with_those_of_the_root() -> None:
    with runtime({"boss": COUNTER}, config=boss(children=2)) as system:
        say(system, "create", name="kid", like="boss", may=["create"])
        assert say(system, "create", "kid", name="grandkid", like="kid")["performative"] == "inform"
        assert say(system, "create", "kid", name="other", like="kid")["content"]["error"] == "internal-error"
        assert (
            say(system, "create", "grandkid", name="other", like="kid")["content"]["error"] == "unauthorised"
        )
        # whoever made the maker may end it as well
        assert say(system, "destroy", name="grandkid")["performative"] == "inform"
        assert say(system, "create", "kid", name="other", like="kid")["performative"] == "inform"


# ---------------------------------------------------------------------- orders


def test_a_dispatcher_makes_a_worker_for_each_order() -> None:
    with runtime(ORDERS, config=config()) as system:
        for number in range(5):
            system.submit({"order": number}, to="dispatcher", sender="operator.tim")
        system.until_quiet()
        done = [content["done"]["order"] for act, content in answers(system) if act == "inform"]
        assert sorted(done) == [0, 1, 2, 3, 4]
        assert names(system) == ["dispatcher", "worker"], "each is dismissed when its order is done"
        born = [
            one["content"]
            for one in system.messages(ontology="caxton-life")
            if one["content"]["what"] == "born"
        ]
        assert {one["maker"] for one in born if "maker" in one} == {"dispatcher@local"}


def test_a_worker_that_breaks_down_is_suspended_and_its_maker_tries_another() -> None:
    with runtime(ORDERS, config=config()) as system:
        order(system, fault=True)
        system.until_quiet()
        assert [one["done"] for one in events(system)] == ["suspended", "suspended"]
        assert answers(system)[-1][0] == "failure"
        assert names(system) == ["dispatcher", "worker"]


@pytest.mark.parametrize("seed", range(3))
def test_orders_are_done_once_whenever_the_power_goes(seed: int) -> None:
    for steps in range(seed, 60, 3):
        with runtime(ORDERS, config=config(), seed=steps) as system:
            system.send({"order": 7}, to="dispatcher", sender="operator.tim")
            system.crash_after(steps + 1)
            try:
                system.until_quiet()
            except Crashed:
                system.start()
            system.crash_after(None)
            system.until_quiet(2.0)
            assert [act for act, _ in answers(system)] == ["inform"], steps
            assert names(system) == ["dispatcher", "worker"], steps


# ---------------------------------------------------------------------- ends


def test_who_made_an_agent_ends_it_and_others_need_the_right() -> None:
    agents = {"boss": COUNTER, "warden": COUNTER, "c": COUNTER}
    rights = {
        "agents": {**boss()["agents"], "warden": {"wasm": "x.wasm", "may": ["suspend", "resume", "destroy"]}}
    }
    with runtime(agents, config=rights) as system:
        say(system, "create", name="kid", like="c")
        for action in ("suspend", "resume", "destroy"):
            refused = say(system, action, "c", name="kid")["content"]
            assert refused["hint"] == f'in caxton.toml: [agents.c] may = ["{action}"]'
            assert say(system, action, name="c")["content"]["error"] == "unauthorised", (
                "it made only the other"
            )
        assert say(system, "suspend", name="kid")["content"]["description"]["state"] == "suspended"
        system.send({"add": 1}, to="kid", sender="operator.tim")
        assert say(system, "resume", "warden", name="kid")["content"]["description"]["state"] == "active"
        say(system, "suspend", "warden", name="kid")
        system.send({"add": 1}, to="kid", sender="operator.tim")
        assert say(system, "destroy", name="kid")["content"] == {"action": "destroy", "done": True}
        (letter,) = system.run(letters(system))
        assert (letter.agent, letter.code) == ("kid@local", "agent_stopped")
        assert say(system, "create", name="kid", like="c")["performative"] == "inform"
        assert system.ask({"add": 1}, to="kid")["content"] == {"count": 1}, "another agent of that name"


def test_an_agent_ends_itself() -> None:
    with runtime({"boss": COUNTER, "c": COUNTER}, config=boss()) as system:
        say(system, "create", name="kid", like="c")
        told_as(system, "kid", {"action": "destroy"})
        system.until_quiet(0.3)
        assert names(system) == ["boss", "c"]


@pytest.mark.parametrize("end", ["stop", "remove"])
def test_linked_children_end_with_their_maker(end: str) -> None:
    with runtime({"boss": COUNTER, "c": COUNTER}, config=boss()) as system:
        say(system, "create", name="linked", like="c", linked=True, may=["create"])
        say(system, "create", "linked", name="below", like="c", linked=True)
        say(system, "create", name="free", like="c")
        system.run(getattr(system.runtime.agents, end)("boss"))
        system.until_quiet(0.3)
        assert [one for one in names(system) if one not in ("boss", "c")] == ["free"]
        system.restart()
        assert [one for one in names(system) if one not in ("boss", "c")] == ["free"]


def test_children_come_back_with_their_makers_and_their_memories() -> None:
    with runtime({"boss": COUNTER, "c": COUNTER}, config=boss()) as system:
        say(system, "create", prefix="w", like="c", linked=True)
        assert system.ask({"add": 5}, to="w-1")["content"] == {"count": 5}
        system.until_quiet(0.3)
        system.restart()
        system.until_quiet(0.3)
        assert system.ask({"add": 1}, to="w-1")["content"] == {"count": 6}
        assert say(system, "create", prefix="w", like="c")["content"]["description"]["name"] == "w-2@local"
        found = ams(system, "search", maker="boss")["content"]["result"]
        assert [one["name"] for one in found] == ["w-1@local", "w-2@local"]


# ---------------------------------------------------------------------- supervision


def test_a_child_that_breaks_down_too_often_is_suspended() -> None:
    with runtime({"boss": COUNTER, "r": ROGUE}, config=boss()) as system:
        say(system, "create", name="kid", like="r", restarts=2, within_s=10)
        for _ in range(2):
            system.ask({"trap": True}, to="kid")
        system.until_quiet(0.3)
        assert system.runtime.agents.view("kid").state == "running"
        system.advance(20)
        for _ in range(2):
            system.ask({"trap": True}, to="kid")
        system.until_quiet(0.3)
        assert system.runtime.agents.view("kid").state == "running", "those of long ago do not count"
        system.ask({"trap": True}, to="kid")
        system.until_quiet(0.3)
        assert system.runtime.agents.view("kid").state == "suspended"
        (told,) = events(system)
        assert (told["name"], told["done"]) == ("kid@local", "suspended")
        assert told["reason"].startswith("it broke down 3 times within 10 s")
        say(system, "resume", name="kid")
        assert system.runtime.agents.view("kid").state == "running"


def test_all_linked_children_end_where_one_breaks_down() -> None:
    with runtime({"boss": COUNTER, "r": ROGUE}, config=boss()) as system:
        for name in ("a", "b"):
            say(system, "create", name=name, like="r", linked=True, on_failure="end-all")
        say(system, "create", name="free", like="r")
        system.ask({"trap": True}, to="a")
        system.until_quiet(0.3)
        assert names(system) == ["boss", "free", "r"]
        assert [(one["name"], one["done"]) for one in events(system)] == [("a@local", "ended-all")]


def test_a_maker_is_told_of_a_breakdown_if_it_counts_whenever_the_power_goes() -> None:
    outcomes = set[str]()
    for steps in range(1, 20):
        with runtime({"boss": COUNTER, "r": ROGUE}, config=boss(), seed=steps) as system:
            say(system, "create", name="kid", like="r", on_failure="tell")
            system.crash_after(steps)
            try:
                system.submit({"trap": True}, to="kid", sender="operator.tim")
                system.until_quiet(0.3)
            except Crashed:
                system.start()
            system.crash_after(None)
            system.until_quiet(0.3)
            state = system.runtime.agents.view("kid").state
            outcomes.add(state)
            assert len(events(system)) == (state == "suspended"), steps
            assert len(system.run(letters(system))) == len(events(system)), steps
    assert outcomes == {"suspended", "running"}


def boss(**more: Any) -> Json:
    return {"agents": {"boss": {"wasm": "x.wasm", "may": ["create"], **more}}}


def say(system: System, action: str, sender: str = "boss", **description: Any) -> Json:
    """What the ams answers to a guest: said in its name, as its turns say things."""
    return told_as(system, sender, {"action": action, "description": description})


def told_as(system: System, sender: str, content: Json) -> Json:
    bus = system.runtime.bus
    draft = Draft(Performative.REQUEST, ["ams@local"], msgspec.Raw(msgspec.json.encode(content)))

    async def admit() -> str:
        envelope = bus.admit(draft, f"{sender}@local", trace_id=bus.ids.trace(), cause=0, hops=0)
        bus.settle()
        return envelope.message.conversation_id

    conversation = system.run(admit())
    system.until_quiet(0.3)
    said = system.messages(conversation_id=conversation, sender="ams@local")
    return said[0] if said else {}


async def letters(system: System) -> Any:
    return await system.runtime.journal.reader.dead_letters(limit=100)
