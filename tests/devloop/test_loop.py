"""The loop with a real daemon: what is built and deployed, and what is not, when files are saved."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from caxton.client import AsyncClient
from caxton.daemon_socket import socket_path
from caxton.devloop import DevLoop
from caxton.devloop.events import (
    BuildFailed,
    BuildStarted,
    Built,
    ConfigurationFailed,
    ConfigurationRead,
    DaemonUp,
    Deployed,
    DeployFailed,
    Running,
    Unchanged,
    Watching,
)
from caxton.errors import InvalidState
from caxton.schemas.daemon import AgentBody

from .project import EXAMPLES, Project, looping, variant

COUNTER = (EXAMPLES / "counter" / "counter.c").read_text("utf-8")


async def agent(project: Project, name: str) -> AgentBody:
    async with AsyncClient(socket_path(project.folder / ".caxton")) as caxton:
        return await caxton.agent(name)


async def test_a_newer_save_ends_a_build_and_a_slow_one_holds_nobody_up(tmp_path: Path) -> None:
    never = tmp_path / "never"
    os.mkfifo(never)
    folder = tmp_path / "p"
    (folder / "src").mkdir(parents=True)
    program = (
        "import os, pathlib, sys; name = sys.argv[1]; data = pathlib.Path(name).read_bytes(); "
        f"os.path.exists(name + '.slow') and open({str(never)!r}).read(); "
        "pathlib.Path('..', name + '.wasm').write_bytes(data)"
    )
    tables = [
        f'[agents.{name}]\nwasm = "{name}.wasm"\nsource = "src"\n[agents.{name}.build]\nwatch = ["{name}"]\n'
        f"command = {json.dumps([sys.executable, '-c', program, name])}\n"
        for name in ("a", "b")
    ]
    (folder / "caxton.toml").write_text("cells = 1\n" + "".join(tables))
    for name in ("a", "b"):
        (folder / "src" / name).write_bytes(variant("one"))

    async with looping(folder) as project:
        await project.next(Watching)
        (folder / "src" / "a.slow").touch()
        (folder / "src" / "a").write_bytes(variant("two"))
        await project.next(BuildStarted)
        (folder / "src" / "b").write_bytes(variant("two"))
        assert (await project.next(Built)).agents == ["b"]
        deployed = await project.next(Deployed)
        assert deployed.agent == "b"
        (folder / "src" / "a.slow").unlink()
        (folder / "src" / "a").write_bytes(variant("three"))
        # nobody wants what the one before would make
        built = await project.next(Built)
        assert (built.agents, built.revision) == (["a"], hashlib.sha256(variant("three")).hexdigest())
        assert (await project.next(Deployed)).revision == built.revision
        assert (await agent(project, "a")).revision == built.revision


async def test_an_agent_runs_while_the_first_build_of_another_goes_on(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    folder = tmp_path / "p"
    folder.mkdir()
    program = "import sys; open(sys.argv[1]).read(); sys.exit('too late')"
    table = 'cells = 1\n[agents.quick]\nwasm = "quick.wasm"\n[agents.slow]\nwasm = "slow.wasm"\nsource = "slow.wat"\n'
    command = json.dumps([sys.executable, "-c", program, str(gate)])
    (folder / "quick.wasm").write_bytes(variant("one"))
    (folder / "slow.wat").write_text((EXAMPLES / "echo" / "echo.wat").read_text("utf-8"))
    (folder / "caxton.toml").write_text(
        f'{table}[agents.slow.build]\nwatch = ["slow.wat"]\ncommand = {command}\n'
    )
    async with looping(folder) as project, AsyncClient(socket_path(folder / ".caxton")) as caxton:
        assert (await project.next(Running)).agent == "quick"
        answered = await caxton.send({"performative": "request", "receiver": "quick"}, wait_s=10)
        assert len(answered.replies) == 1
        await caxton.send({"performative": "request", "receiver": "slow"})
        slow = await caxton.agent("slow")
        assert (slow.state, slow.mailbox) == ("unbuilt", 1)
        assert (await caxton.status()).agents.unbuilt == 1
        with pytest.raises(InvalidState, match="not built yet"):
            await caxton.change_agent("slow", "start")
        # its first build fails, and what is saved after it is taken in by the same loop
        gate.write_text("")
        assert (await project.next(BuildFailed)).agents == ["slow"]
        await project.next(Watching)
        project.save("caxton.toml", table)
        assert (await project.next(Deployed)).agent == "slow"
        slow = await caxton.agent("slow")
        assert (slow.state, slow.mailbox, slow.turns + slow.in_flight) == ("running", 0, 1), (
            "what waited is handled"
        )


async def test_only_what_a_save_concerns_is_built(tmp_path: Path) -> None:
    text = (EXAMPLES / "echo" / "echo.wat").read_text("utf-8")
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.wat").write_text(text)
    (tmp_path / "caxton.toml").write_text(
        "cells = 1\n"
        '[agents.ann]\nwasm = "ann.wasm"\n[agents.bob]\nwasm = "bob.wasm"\n[agents.bea]\nwasm = "bob.wasm"\n'
    )
    async with looping(tmp_path) as project:
        await project.next(Watching)
        started = [event for event in project.seen if isinstance(event, BuildStarted)]
        assert sorted(event.agents for event in started) == [["ann"], ["bob", "bea"]], "once at the start"
        running = [event.agent for event in project.seen if isinstance(event, Running)]
        assert sorted(running) == ["ann", "bea", "bob"]
        project.save("bob.wat", text.replace("(module", '(module (global (export "g") i32 (i32.const 7))', 1))
        first, second = await project.next(Deployed), await project.next(Deployed)
        assert (first.agent, second.agent) == ("bob", "bea")
        assert (first.state, first.state_reason) == ("rebuilt", "0 turns run again")
        project.save("ann.wat", text + ";; nothing else\n")
        assert (await project.next(Unchanged)).agent == "ann"
        built = [event.agents for event in project.seen if isinstance(event, Built)]
        assert built[2:] == [["bob", "bea"], ["ann"]]


async def test_a_broken_save_and_one_that_the_daemon_refuses_leave_the_old_revision(tmp_path: Path) -> None:
    folder = tmp_path / "counter"
    folder.mkdir()
    (folder / "counter.c").write_text(COUNTER)
    async with looping(folder) as project:
        running = await project.next(Running)
        await project.next(Watching)
        project.save("counter.c", COUNTER.replace("count += add;", "count += add"))
        failed = await project.next(BuildFailed)
        assert (failed.error.file, failed.error.line) == ("counter.c", 20)
        assert failed.keeps == {"counter": running.revision}
        project.save("counter.c", COUNTER.replace("CAXTON_EXPORT(handle_message)", "CAXTON_EXPORT(handle)"))
        refused = await project.next(DeployFailed)
        assert "handle_message" in refused.reason
        assert refused.keeps == running.revision == (await agent(project, "counter")).revision
        # a state that the new build refuses keeps the old one too
        project.save("counter.c", COUNTER.replace('"v"), 0) != 1', '"v"), 0) != 2'))
        refused = await project.next(DeployFailed)
        assert "not a counter's state" in refused.reason
        project.save("counter.c", COUNTER.replace("{'count':", "{'sum':"))
        deployed = await project.next(Deployed)
        assert (deployed.previous, deployed.state) == (running.revision, "carried")
        assert deployed.compile_ms > 0
        project.save("counter.c", COUNTER.replace("CAXTON_EXPORT(caxton_restore)", "static CAXTON_UNUSED"))
        deployed = await project.next(Deployed)
        assert (deployed.state, deployed.state_reason) == ("rebuilt", "0 turns run again")


async def test_the_configuration_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "a.wasm").write_bytes(variant("one"))
    text = 'cells = 1\n[agents.a]\nwasm = "a.wasm"\n'
    (tmp_path / "caxton.toml").write_text(text)
    async with looping(tmp_path) as project:
        await project.next(Watching)
        project.save("caxton.toml", text + "settings = { price = 3 }\nlimits = { mailbox = 7 }\n")
        assert (await project.next(ConfigurationRead)).changed == ["a"]
        deployed = await project.next(Deployed)
        assert deployed.settings_changed
        now = await agent(project, "a")
        assert (now.settings, now.limits["mailbox"]) == ({"price": 3}, 7)

        project.save("caxton.toml", text + "setings = { price = 4 }\n")
        failed = await project.next(ConfigurationFailed)
        assert "caxton.toml:4" in failed.reason
        assert "settings" in (failed.hint or "")

        (tmp_path / "b.wat").write_text((EXAMPLES / "echo" / "echo.wat").read_text("utf-8"))
        project.save("caxton.toml", 'cells = 2\n[agents.b]\nwasm = "b.wasm"\n')
        read = await project.next(ConfigurationRead)
        assert (read.added, read.removed, read.changed, read.later) == (["b"], ["a"], [], ["cells"])
        assert (await project.next(Deployed)).agent == "b"
        project.save("caxton.toml", 'cells = 2\n[agents.b]\nwasm = "b.wasm"\nlimits = { mailbox = 9 }\n')
        assert (await project.next(ConfigurationRead)).changed == ["b"]
        assert (await project.next(Deployed)).settings_changed
        gone = await agent(project, "a")
        assert gone.state != "running", "it was stopped before the next change was looked at"
        assert gone.settings == {"price": 3}, "nothing is taken away unasked"

        before = text + "settings = { price = 3 }\nlimits = { mailbox = 7 }\n"
        project.save("caxton.toml", before + '[agents.b]\nwasm = "b.wasm"\n')
        assert (await project.next(ConfigurationRead)).added == ["a"]
        assert (await project.next(Running)).agent == "a"
        back = await agent(project, "a")
        assert (back.state, back.settings) == ("running", {"price": 3})


async def test_a_module_that_somebody_else_builds_is_taken_in_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "a.wasm").write_bytes(variant("one"))
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.a]\nwasm = "a.wasm"\n')
    async with looping(tmp_path) as project:
        first = await project.next(Running)
        await project.next(Watching)
        (tmp_path / "a.wasm").write_bytes(variant("two"))
        deployed = await project.next(Deployed)
        assert (deployed.previous, deployed.build_ms) == (first.revision, None)
        assert not [event for event in project.seen if isinstance(event, BuildStarted)]


async def test_a_daemon_that_is_gone_is_started_at_the_next_save(tmp_path: Path) -> None:
    (tmp_path / "a.wasm").write_bytes(variant("one"))
    (tmp_path / "caxton.toml").write_text('cells = 1\n[agents.a]\nwasm = "a.wasm"\n')
    async with looping(tmp_path) as project:
        assert (await project.next(DaemonUp)).started
        await project.next(Watching)
        await asyncio.to_thread(project.take_down)
        (tmp_path / "a.wasm").write_bytes(variant("two"))
        assert (await project.next(DaemonUp)).started
        # the daemon that came up has read the new module itself, or gets it from the loop
        said: Unchanged | Deployed = await project.next(Unchanged, Deployed)
        assert said.revision == hashlib.sha256(variant("two")).hexdigest()
        assert (await agent(project, "a")).revision == said.revision


async def test_two_loops_on_one_project_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("cells = 1\n")
    async with looping(tmp_path) as project:
        await project.next(Watching)
        other = DevLoop(tmp_path, project.hear, lambda: asyncio.to_thread(project.bring_up))
        with pytest.raises(InvalidState, match="another `caxton dev`"):
            await other.run()


async def test_a_blue_green_build_that_fails_in_its_first_turns_gives_way_to_the_old_one(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "counter"
    folder.mkdir()
    (folder / "counter.c").write_text(COUNTER)
    ask = {"receiver": "counter", "performative": "request"}
    async with looping(folder, strategy="blue-green") as project:
        running = await project.next(Running)
        await project.next(Watching)
        async with AsyncClient(socket_path(folder / ".caxton"), timeout=30) as caxton:
            await caxton.send(ask, wait_s=30)
            project.save("counter.c", COUNTER.replace("count += add;", "count += add; __builtin_trap();"))
            await project.next(Built)
            counts: list[int] = []
            while not [event for event in project.seen if isinstance(event, DeployFailed)]:
                answer = await caxton.send(ask, wait_s=30)
                counts.append(answer.replies[0].message.content["count"])
        failed = await project.next(DeployFailed)
        assert (failed.code, failed.keeps) == ("deployment_rolled_back", running.revision)
        assert counts == list(range(2, 2 + len(counts))), "no message was lost, none was counted twice"
