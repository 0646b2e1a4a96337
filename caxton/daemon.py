"""The daemon: a project's runtime with the HTTP API in front, from start to stop.

    python -m caxton.daemon --project DIR

In: a project folder and signals. Out: exit code 0 after SIGTERM, SIGINT or `daemon/stop`; 1 and one clear error when
it cannot start. On the way down it takes no more work, lets turns end, keeps agents' states, commits, and leaves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog
import uvloop

from caxton import __version__
from caxton.access import hide
from caxton.api.gateways.start import gateways
from caxton.api.server import Server
from caxton.api.services import Services
from caxton.api.tcp_listener import listen_on_tcp
from caxton.clock import SystemClock
from caxton.config import Project, load
from caxton.daemon_socket import About, claim, listen, socket_path
from caxton.errors import CaxtonError, ConfigurationError
from caxton.install_hint import install_hint
from caxton.runtime import Runtime, deploy_configured, open_runtime
from caxton.telemetry.log_files import RotatingHandler
from caxton.telemetry.logs import configure

if TYPE_CHECKING:
    from caxton.telemetry.otlp_pipeline import OtlpPipeline
    from caxton.telemetry.pipeline import Pipeline

GRACE_S: Final = 1.0
"""So long a start waits for agents whose memory comes back; one that takes longer is recovering, and is waited for by
nobody but who asks it."""

log = structlog.get_logger("caxton")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon of one project until it is told to stop; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m caxton.daemon", description=__doc__)
    parser.add_argument("--project", type=Path, default=None, help="the project's folder")
    parser.add_argument(
        "--await-builds",
        action="store_true",
        help="offer agents nothing that stands at their wasm: whoever starts it builds the modules and brings them",
    )
    chosen = parser.parse_args(arguments)
    try:
        project = load(chosen.project)
        hide(os.environ.get(name, "") for name in project.config.secret_names())
        table = project.config.log
        handler = RotatingHandler(
            sys.stderr, project.state / "daemon.log", int(table.max_mib * 1024**2), table.files
        )
        configure(table.format, table.level, sys.stderr, handler)
        # a tenth of a millisecond: the journal's thread must not wait long for its turn between two statements;
        # beside a busy loop there were 400 to 550 commits for 200,000 messages, at half a millisecond 20
        sys.setswitchinterval(0.0001)
        # the way of a message makes no cycles, so collections are rare
        gc.set_threshold(50_000, 20, 50)
        about = About(os.getpid(), __version__, SystemClock().now_us())
        give_way(project.config.nice)
        with (
            claim(project.state, about),
            exporting(project, instance := str(uuid4())) as pipeline,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(
                _serve(project, about.started_us, pipeline, instance, await_builds=chosen.await_builds)
            )
    except CaxtonError as error:
        return _complain(error)
    except BaseExceptionGroup as group:
        refusals, rest = group.split(CaxtonError)
        if refusals is None or rest is not None:
            raise
        return _complain(_first(refusals))
    return 0


def give_way(nice: int) -> None:
    """Let what a person waits for go first where processors are busy: `nice` from 0, not at all, to 19.

    Only in a session of one's own: in another's it would be the person's shell that gives way, too. Linux weighs whole
    sessions against each other where it groups them (sched(7), autogroup), and processes elsewhere.
    """
    if nice and os.getsid(0) == os.getpid():
        os.nice(nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(nice))


@contextmanager
def exporting(project: Project, instance: str) -> Generator[Pipeline | OtlpPipeline | None]:
    """The telemetry pipeline that the configuration asks for, flushed at the end; None without an exporter."""
    pipeline: Pipeline | OtlpPipeline
    # a start without an exporter does not pay for OpenTelemetry's SDK
    match project.config.telemetry.exporter:
        case "none":
            yield None
            return
        case "console":
            from caxton.telemetry.pipeline import Pipeline, resource

            pipeline = Pipeline(
                resource(project.config.name, instance), sys.stderr, project.config.telemetry.interval_s
            )
        case "otlp":
            from caxton.telemetry.otlp_pipeline import OtlpPipeline

            table = project.config.telemetry
            pipeline = OtlpPipeline(project.config.name, instance, table, os.environ, project.state)
    try:
        yield pipeline
    finally:
        pipeline.close()


def _complain(error: CaxtonError) -> int:
    # where the disk is full the log takes no word, and the exit code has to do
    with contextlib.suppress(OSError):
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201 - before and after there is a log
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)  # noqa: T201
        sys.stderr.flush()
    return int(error.exit)


def _first(group: BaseExceptionGroup[CaxtonError]) -> CaxtonError:
    """The first refusal inside a group, however deep."""
    one = group.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


async def _serve(
    project: Project,
    started_us: int,
    pipeline: Pipeline | OtlpPipeline | None,
    instance: str,
    *,
    await_builds: bool,
) -> None:
    """What `serve` does, with the export of spans beside it, which outlives the journal's last commit."""
    if project.config.telemetry.exporter != "otlp":
        await serve(project, started_us, pipeline, await_builds=await_builds)
        return
    from caxton.journal.following import last_known
    from caxton.telemetry.span_process import export_spans

    opened = asyncio.Event()
    begin = last_known(project.state)
    async with asyncio.TaskGroup() as group:
        spans = group.create_task(export_spans(project.folder, instance, begin, opened), name="spans")
        await serve(project, started_us, pipeline, await_builds=await_builds, opened=opened)
        spans.cancel()


async def serve(
    project: Project,
    started_us: int,
    pipeline: Pipeline | OtlpPipeline | None,
    *,
    await_builds: bool = False,
    opened: asyncio.Event | None = None,
) -> None:
    """Everything from the first room to the last word; `opened` is set when the journal is there."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    log.info("starting", version=__version__, pid=os.getpid(), project=str(project.folder))
    started = asyncio.Event()
    # the door first: who is slow to come back must not keep everybody from the others
    async with (
        open_runtime(project, wait=False) as runtime,
        gateways(project, socket_path(project.state)) as others,
    ):
        if opened is not None:
            opened.set()
        services = Services.of(
            runtime, stop=stopping.set, started_us=started_us, started=started.is_set, gateways=others
        )
        tcp = listen_on_tcp(project, somebody=services.tokens.any_valid())
        listener = listen(project.state)
        server = Server(services, listener, tcp)
        if tcp is not None:
            log.info("listening", url=tcp.url)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run(), name="http")
            rpc = _grpc(project, listener.path)
            calls = rpc and group.create_task(rpc, name="grpc")
            meters = pipeline and group.create_task(
                pipeline.meters(server.readings, pipeline.interval_s), name="meters"
            )
            starting = group.create_task(
                _start_agents(runtime, started, listener.path, await_builds=await_builds), name="agents start"
            )
            await stopping.wait()
            log.info("stopping")
            starting.cancel()
            runtime.bus.event("daemon", body={"what": "stopping", "pid": os.getpid()})
            runtime.bus.settle()
            runtime.bus.clients.close()
            # whoever waits for a deployment or a task gets its answer before the door closes
            await runtime.engine.close()
            await runtime.tasks.close()
            if meters:
                meters.cancel()
            if calls:
                calls.cancel()
            server.stop()
    log.info("stopped")


def _grpc(project: Project, socket: Path) -> Coroutine[None, None, None] | None:
    """The life of the process that serves gRPC, where it is asked for; ConfigurationError without its packages."""
    if project.config.listen.grpc is None:
        return None
    if find_spec("grpc_reflection") is None:
        raise ConfigurationError("listen.grpc needs packages of its own", hint=install_hint("grpc"))
    from caxton.telemetry.span_process import keep_running

    words = (str(project.folder), str(socket), str(socket.with_suffix(".grpc")))
    return keep_running("gRPC", "caxton.gateways.grpc.server", *words)


async def _start_agents(
    runtime: Runtime, started: asyncio.Event, socket: Path, *, await_builds: bool
) -> None:
    """Wait a little for those that come back, and bring the others what caxton.toml says."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await asyncio.shield(runtime.returning)
    await deploy_configured(runtime, await_builds=await_builds)
    # what lives as long as the daemon need not be looked at by every collection
    gc.collect()
    gc.freeze()
    started.set()
    runtime.bus.event("daemon", body={"what": "started", "pid": os.getpid(), "version": __version__})
    runtime.bus.settle()
    log.info("ready", socket=str(socket), agents=len(runtime.agents.views()))


if __name__ == "__main__":
    sys.exit(main())
