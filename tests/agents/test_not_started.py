"""An agent of caxton.toml that does not start is an agent: everybody sees it, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from caxton.deploy import DeploymentRequest
from caxton.errors import AgentNotFound, InvalidState
from caxton.runtime import deploy_configured

from .systems import COUNTER, ECHO, ask, count, events, guest, home, letters

AGENTS = """
[agents.echo]
wasm = "echo.wasm"
[agents.gone]
wasm = "gone.wasm"
[agents.junk]
wasm = "junk.wasm"
[agents.sick]
wasm = "sick.wat"
"""


def put(folder: Path) -> None:
    (folder / "echo.wasm").write_bytes(ECHO)
    (folder / "junk.wasm").write_bytes(b"garbage")
    (folder / "sick.wat").write_bytes(guest(init="unreachable"))


async def test_it_is_listed_with_its_reason_and_the_others_run(tmp_path: Path) -> None:
    put(tmp_path)
    async with home(tmp_path, AGENTS) as runtime:
        await deploy_configured(runtime)
        views = {view.name: view for view in runtime.agents.views()}
        assert {name: view.state for name, view in views.items()} == {
            "echo": "running",
            "gone": "failed",
            "junk": "failed",
            "sick": "failed",
        }
        assert "gone.wasm cannot be read: No such file" in str(views["gone"].reason)
        assert "not a WebAssembly module" in str(views["junk"].reason)
        assert "unreachable" in str(views["sick"].reason)
        assert [view.revision for view in views.values()][1:] == [None] * 3
        assert (await ask(runtime, "echo", 1))["content"] == 1
        assert (await ask(runtime, "junk"))["content"]["error"] == "agent_failed"
        assert [code for _, _, code in await letters(runtime)] == ["agent_failed"]
        failed = [one["agent"] for one in await events(runtime, "agent") if one["what"] == "failed"]
        assert sorted(failed) == ["gone@local", "junk@local", "sick@local"]


async def test_one_that_takes_long_to_start_holds_up_no_other(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "slow.wat").write_bytes(guest(init="(loop $l (br $l))"))
    limits = "[agents.slow.limits]\nfuel = 1_000_000_000_000\nwall_ms = 400\n"
    async with home(tmp_path, '[agents.slow]\nwasm = "slow.wat"\n' + limits + AGENTS) as runtime:
        await deploy_configured(runtime)
        told = [(one["agent"], one["what"]) for one in await events(runtime, "agent")]
        assert told.index(("echo@local", "deployed")) < told.index(("slow@local", "failed"))


async def test_it_is_started_removed_and_mended_as_any_other(tmp_path: Path) -> None:
    put(tmp_path)
    async with home(tmp_path, AGENTS) as runtime:
        await deploy_configured(runtime)
        with pytest.raises(
            InvalidState, match="junk has no build that works: this is not a WebAssembly module"
        ):
            await runtime.agents.start("junk")
        await runtime.agents.remove("gone")
        with pytest.raises(AgentNotFound):
            runtime.agents.view("gone")
        await runtime.engine.deploy(DeploymentRequest("junk", COUNTER))
        assert await count(runtime, "junk") == 1
        view = runtime.agents.view("junk")
        assert (view.state, view.reason, view.desired) == ("running", None, "running")
    (tmp_path / "sick.wat").write_bytes(guest())
    async with home(tmp_path, AGENTS) as runtime:
        await deploy_configured(runtime)
        assert await count(runtime, "sick") == 1
        assert await count(runtime, "junk") == 2, (
            "what was deployed goes on beside a file that is still no module"
        )
        assert (await ask(runtime, "gone"))["content"]["error"] == "agent_failed"


async def test_a_build_that_does_not_work_leaves_what_has_failed_as_it_is(tmp_path: Path) -> None:
    put(tmp_path)
    async with home(tmp_path, AGENTS) as runtime:
        await deploy_configured(runtime)
        for wasm in (b"more garbage", guest(init="unreachable", tag="two")):
            with pytest.raises(Exception, match=r"WebAssembly|unreachable"):
                await runtime.engine.deploy(DeploymentRequest("junk", wasm, wat=wasm.startswith(b"(module")))
            view = runtime.agents.view("junk")
            assert (view.state, view.revision, view.retry_us) == ("failed", None, None)
            assert (await ask(runtime, "junk"))["content"]["error"] == "agent_failed"
