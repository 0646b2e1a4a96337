"""Examples on a real daemon, and a judge for all that they say.

In: example modules with settings, and messages from the operator. Out: the answers, the journal's messages, and what
`caxton check` makes of them. Nothing waits by the clock: an answer is waited for, or a condition over the journal at
each event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.command import caxton

from caxton.client import Client
from caxton.schemas.messages import SubmittedBody
from caxton.schemas.shape import plain

from .running import EXAMPLES, running

Json = dict[str, Any]
PATIENCE_S = 20.0


@contextmanager
def talking(folder: Path, configuration: str, modules: Sequence[Path] = ()) -> Generator[Talks]:
    """A daemon with that configuration, for as long as this lasts; at the end everything was legal."""
    with running(folder, configuration, modules) as daemon, daemon.client(60.0) as client:
        talks = Talks(folder, client)
        yield talks
        talks.judge()


class Talks:
    """The conversations of one daemon's agents."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder = folder
        self.client = client

    def deploy(self, name: str, module: str, **settings: object) -> None:
        """An agent of that name from `folder/module` of the examples."""
        self.client.deploy(name, (EXAMPLES / f"{module}.wasm").read_bytes(), settings=settings)

    def ask(
        self, act: str, to: str, content: object, *, replies: int = 1, **parameters: object
    ) -> list[Json]:
        """Say something as the operator; the messages that come back, so many of them."""
        message = {"performative": act, "receiver": to, "content": content} | parameters
        answer = self.client.send(message, wait_s=PATIENCE_S, replies=replies)
        said: list[Json] = [reply.message.json for reply in answer.replies]
        assert len(said) == replies, [one["performative"] for one in said]
        return said

    def order(self, to: str, content: object, **parameters: object) -> Json:
        """A fipa-request that is agreed to; its result."""
        agree, result = self.ask("request", to, content, replies=2, protocol="fipa-request", **parameters)
        assert agree["performative"] == "agree", agree
        return result

    def send(self, act: str, to: str, content: object, **parameters: object) -> SubmittedBody:
        """Say something as the operator and wait for the commit only."""
        message = {"performative": act, "receiver": to, "content": content} | parameters
        return self.client.send(message)

    def messages(self) -> list[Json]:
        """Everything that was said so far, oldest first."""
        return [row.message.json for row in self.client.messages(limit=100_000)]

    def said(self, *acts: str, by: str | None = None, protocol: str | None = None) -> list[Json]:
        """What was said so far of those acts, by that agent, under that protocol."""
        return [
            one
            for one in self.messages()
            if one["performative"] in acts
            and (by is None or one["sender"] == f"{by}@local")
            and (protocol is None or one.get("protocol") == protocol)
        ]

    def result(self, conversation: str) -> Json:
        """The inform or failure that ends an order which was only sent."""
        found: list[Json] = []

        def ends(said: list[Json]) -> bool:
            one = said[-1]
            if one["conversation_id"] == conversation and one["performative"] in ("inform", "failure"):
                found.append(one)
            return bool(found)

        self.until(ends)
        return found[0]

    def until_said(self, act: str, by: str) -> Json:
        """Wait until that agent has said such a thing; the first one."""
        found: list[Json] = []

        def said_it(said: list[Json]) -> bool:
            if said[-1]["performative"] == act and said[-1]["sender"] == f"{by}@local":
                found.append(said[-1])
            return bool(found)

        self.until(said_it)
        return found[0]

    def until(self, holds: Callable[[list[Json]], bool]) -> None:
        """Wait until something holds of all that was said; it is looked at after each message, the last of the list."""
        said: list[Json] = []
        for event in self.client.events(after=0, kinds=["message"]):
            if event.kind == "message":
                said.append(event.data["message"])
                if holds(said):
                    return

    def judge(self) -> Json:
        """What `caxton check --coverage -o json` says of everything that was said: no violation, to begin with."""
        record = self.folder / "record.jsonl"
        write(record, plain(self.client.messages(limit=100_000)))
        done = caxton("check", record, "--coverage", "-o", "json")
        found: Json = json.loads(done.stdout)
        wrong = [row for row in found["messages"] if row["verdict"] == "violation"]
        assert (done.returncode, wrong) == (0, []), json.dumps(wrong, indent=1)
        return found


def write(path: Path, rows: list[Json]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def branches(found: Json, conversation: str) -> dict[str, str]:
    """The states of a conversation's branches, by participant."""
    (one,) = [one for one in found["conversations"] if one["id"] == conversation]
    return {each["participant"].removesuffix("@local"): each["state"] for each in one["branches"]}


def exercised(found: Json, protocol: str) -> set[str]:
    """The transitions of a protocol that were exercised, as `source act`."""
    return {f"{one['source']} {one['act']}" for one in found["coverage"][protocol]["exercised"]}
