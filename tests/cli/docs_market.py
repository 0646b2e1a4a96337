"""The project that the documentation's command lines are about: a market, and whoever else they name, all of whom have
done enough to be looked at.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from caxton.cli import daemon_process
from caxton.client import Client
from caxton.daemon_socket import socket_path

from .command import ROOT, caxton

EXAMPLES: Final = ROOT / "agents-examples"
MODULES: Final = {
    "buyer.wasm": "market", "seller.wasm": "market", "echo.wasm": "echo", "echo.wat": "echo", "relay.wasm": "relay",
    "counter.wasm": "counter", "bidder.wasm": "auction", "rogue.wasm": "rogue",
}  # fmt: skip
AGENT: Final = """from caxton_agent import reply


def handle(message):
    if message["performative"] == "subscribe":
        for tick in range(3):
            reply("inform", tick)
    else:
        reply("inform", message["content"])
"""
BOSS: Final = """from caxton_agent import reply, sleep


async def handle(message):
    await sleep(60)
    reply("inform", 1)
"""
CONFIGURATION: Final = """name = "market"
cells = 1
[agents]
echo.wasm = "echo.wasm"
counter.wasm = "counter.wasm"
relay.wasm = "relay.wasm"
worker.wasm = "echo.wasm"
parser = { wasm = "rogue.wasm", limits = { fuel = 1000000 } }
clock.wasm = "clock.py"
boss.wasm = "boss.py"
meter.wasm = "echo.wasm"
buyer = { wasm = "buyer.wasm", settings = { sellers = ["seller-ann", "seller-bob", "seller-cleo"] } }
seller.wasm = "echo.wat"
seller-ann = { wasm = "seller.wasm", settings = { price = 40, mood = "eager", seed = 11 } }
seller-bob = { wasm = "seller.wasm", settings = { price = 44, mood = "steady", seed = 12 } }
seller-cleo = { wasm = "seller.wasm", settings = { price = 38, mood = "eager", seed = 13 } }
ann = { wasm = "bidder.wasm", settings = { purse = 150 } }
bob = { wasm = "bidder.wasm", settings = { purse = 185 } }
cleo = { wasm = "bidder.wasm", settings = { purse = 185 } }
dora = { wasm = "bidder.wasm", settings = { purse = 120, leaves = true } }
"""
TALK: Final = "c-9414cc516883248e"
"""A conversation with the counter that the pages name."""


class Market:
    """The project, and what a line needs before it is typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for module, example in MODULES.items():
            shutil.copy(EXAMPLES / example / module, folder)
        (folder / "caxton.toml").write_text(CONFIGURATION)
        for name in ("agent.py", "clock.py"):
            (folder / name).write_text(AGENT)
        (folder / "boss.py").write_text(BOSS)
        for name in ("two.wat", "bad.wat"):
            (folder / name).write_text((folder / "echo.wat").read_text())
        shutil.copytree(EXAMPLES / "python-counter", folder / "agents" / "counter")
        (folder / "ann.json").write_text('{"price": 40}')
        (folder / "request.acl").write_text(
            "(request :sender (agent-identifier :name ann@far) :receiver (set (agent-identifier :name echo@local))"
            ' :content "hello")\n'
        )
        (folder / "captured.acl").write_text((folder / "request.acl").read_text())
        message = {"performative": "request", "sender": "ann@far", "receiver": ["echo@local"], "content": 1}
        (folder / "message.json").write_text(json.dumps(message))
        page = (ROOT / "docs" / "protocols.md").read_text("utf-8")
        (table,) = re.findall(r'^```toml\n(name = "haggling".*?)^```$', page, re.MULTILINE | re.DOTALL)
        (folder / "haggling.toml").write_text(table)
        self._builds = 0

    def trade(self) -> None:
        """Give everybody something to look back on."""
        with self.client() as caxton:
            order = {"action": "buy", "item": "book", "rounds": 2, "pause_ms": 0}
            caxton.send(
                {"performative": "request", "receiver": "buyer", "content": order}, wait_s=20, replies=2
            )
            for _ in range(3):
                message = {"performative": "request", "receiver": "counter", "content": {"add": 1}}
                caxton.send({**message, "conversation_id": TALK}, wait_s=10)
        self.say("conv export market-1 --format jsonl", "record.jsonl")
        self.say("backup market.caxton")

    def ready(self, line: str) -> str:
        """Bring about what the line is about; the line with the numbers and ids that it has here."""
        self._see_to_the_daemon(line)
        for pattern, prepare in PREPARED.items():
            if re.search(pattern, line):
                line = prepare(self, line)
        return line

    def _see_to_the_daemon(self, line: str) -> None:
        runs = daemon_process.running(self.folder) is not None
        if re.search(r"caxton (up|journal repair|restore)", line):
            if runs:
                self.say("down")
        elif not runs:
            self.say("up")
        else:
            self._calm()

    def _calm(self) -> None:
        """Take back what lines before this one have begun."""
        with self.client() as caxton:
            if caxton.breaks():
                caxton.remove_breaks(then="drop")
            state = {one.name: one.state for one in caxton.agents()}.get("seller-ann")
            if state is None:
                self.say("agent deploy seller-ann seller.wasm --settings @ann.json")
            elif state != "running":
                caxton.change_agent("seller-ann", "resume" if state == "suspended" else "start")
            for one in caxton.deployments(agent="seller-ann", limit=1):
                if one.state in ("validating", "deploying", "draining"):
                    caxton.abort(one.id)

    def say(self, words: str, to: str = "") -> str:
        """Run a command that a line needs; what it says goes into a file where one is named."""
        said = caxton(*words.split(), cwd=self.folder)
        assert said.returncode == 0, said.stderr
        if to:
            (self.folder / to).write_text(said.stdout)
        return said.stdout

    def client(self) -> Client:
        return Client(socket_path(self.folder / ".caxton"), 30.0)

    def new_build(self, line: str) -> str:
        """A seller, and a counter, that nobody has seen yet."""
        self._builds += 1
        for name in ("seller.wasm", "counter.wasm", "twice.wasm"):
            source = {"twice.wasm": "counter.wasm"}.get(name, name)
            mark = f"b{self._builds:08d}".encode()
            plain = (EXAMPLES / MODULES[source] / source).read_bytes()
            (self.folder / name).write_bytes(plain + bytes([0, len(mark) + 2, 1, ord("n")]) + mark)
        return line

    def two_alive(self, line: str) -> str:
        """A deployment of seller-ann under way; its id."""
        self.new_build(line)
        self.say("agent deploy seller-ann seller.wasm --strategy canary --canary-stages 50:5m")
        return line.replace("d-64a0c8e1f3b2a", json.loads(self.say("deploy list -o json"))[0]["id"])

    def deployed(self, line: str) -> str:
        """A deployment of the counter that can be undone."""
        self.new_build(line)
        self.say("agent deploy counter counter.wasm")
        return line.replace("d-64a0c8e1f3b2a", json.loads(self.say("deploy list -o json"))[0]["id"])

    def held(self, line: str) -> str:
        """A message that a break point holds; the numbers of both."""
        with self.client() as caxton:
            point = caxton.add_break("to:worker")
            answer = caxton.send({"performative": "inform", "receiver": "worker", "content": {"price": 12}})
        return re.sub(r"\b12\b", str(answer.seq), line.replace("b1", point.id), count=1)

    def lost(self, line: str) -> str:
        """Two dead letters; their numbers."""
        with self.client() as caxton:
            seqs = [
                caxton.send(
                    {"performative": "request", "receiver": "parser", "content": {"spin": True}}, wait_s=10
                ).seq
                for _ in range(2)
            ]
        return line.replace("41", str(seqs[0])).replace("42", str(seqs[1]))

    def message(self, line: str) -> str:
        """The id of a message that is there."""
        with self.client() as caxton:
            id = str(caxton.messages(limit=1)[0].message.json["id"])
        return line.replace("6f1c0a52-7d43-8e11-b2aa-00000000002a", id)

    def task(self, line: str) -> str:
        """A task of one who takes his time; its id."""
        id = self.say("task run --protocol request --to boss --detach").strip()
        return line.replace("t-64a0c8e1f3b2a", id)

    def call(self, line: str) -> str:
        """A call that is open."""
        self.say("msg send --to boss --performative request")
        return line

    def scenarios(self, line: str) -> str:
        """A folder of its own with the example's scenarios, under the names that the pages give them."""
        shutil.copytree(EXAMPLES / "market", self.folder.parent / "scenes", dirs_exist_ok=True)
        place = self.folder.parent / "scenes" / "scenarios"
        shutil.copy(place / "two-books.toml", place / "late-proposal.toml")
        return f"cd {place.parent} && {line}"

    def no_files_of_agents(self, line: str) -> str:
        """The files of agents that lines before this one have made are gone."""
        for file in self.folder.glob("*.agent"):
            file.unlink()
        return line

    def exported(self, line: str) -> str:
        """The file of an agent that is here no more."""
        self.say("agent export seller-ann ann.agent")
        self.say("agent remove seller-ann --yes")
        return line

    def elsewhere(self, line: str) -> str:
        """The line, typed in an empty folder beside the project, with a backup of it."""
        self._builds += 1
        place = self.folder.parent / f"elsewhere-{self._builds}"
        place.mkdir()
        shutil.copy(self.folder / "market.caxton", place)
        return f"cd {place} && {line}"

    def another_disk(self, line: str) -> str:
        """A disk for backups, and a home without the project."""
        disk = self.folder.parent / "backup"
        disk.mkdir(exist_ok=True)
        shutil.copy(self.folder / "market.caxton", disk)
        return line.replace("/mnt/backup", str(disk)).replace("caxton ~/market", "caxton ~/again")


PREPARED: Final[dict[str, Callable[[Market, str], str]]] = {
    r"agent deploy|replay": Market.new_build,
    r"deploy (status d-|promote|abort)": Market.two_alive,
    r"deploy rollback": Market.deployed,
    r"break (held|show|release|drop|delay|edit|rm)": Market.held,
    r"dead-letter": Market.lost,
    r"msg show [0-9a-f]+-": Market.message,
    r"task (show|cancel) t-": Market.task,
    r"--to boss": Market.call,
    r"caxton (run|explore)": Market.scenarios,
    r"agent (export|import)": Market.no_files_of_agents,
    r"agent import": Market.exported,
    r"caxton new|caxton restore": Market.elsewhere,
    r"/mnt/backup": Market.another_disk,
}
