"""Agents under test: built, and running in a daemon of their own that ends with the test.

    from caxton.testing import running

    with running(Path("counter")) as agents:
        assert agents.ask({"add": 2})["content"] == {"count": 2}

In: the folder of a project, or of one agent. Out: `Running`, which asks them as an operator would. Everything is real:
the builders of `caxton dev`, cells, the journal on a disk. The project's own daemon and its journal are not touched, so
a test may run beside `caxton dev`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from caxton import exact_numbers
from caxton.cli import connection, daemon_process
from caxton.client import Client
from caxton.config import FILE_NAME, Config, Project
from caxton.errors import ConfigurationError, TimedOut
from caxton.schemas.deployments import DeploymentBody
from caxton.schemas.messages import LogBody
from caxton.schemas.shape import Message
from caxton.simulation.agents import NotReady, edition
from caxton.testing.builds import built_modules, under_test

START_S: Final = 60.0
STOP_S: Final = 30.0
ANSWER_S: Final = 10.0


@contextmanager
def running(folder: Path | str) -> Generator[Running]:
    """Build the agents of that folder and run them until this is left.

    `folder` holds a `caxton.toml`, or is the folder of one agent. Raises ConfigurationError where it is neither, and
    NotReady where an agent cannot be built, with all that the builder said.
    """
    project = under_test(Path(folder).resolve())
    modules = built_modules(project)
    with tempfile.TemporaryDirectory(prefix="caxton-test-") as name:
        home = Path(name)
        (home / FILE_NAME).write_text(_without_agents(project.config), "utf-8")
        daemon = daemon_process.launch(home)
        try:
            daemon_process.wait_ready(home, daemon, START_S, lambda why: None)
            with connection.client(home, timeout_s=START_S) as client:
                agents = Running(client, project, modules)
                for agent, table in project.config.agents.items():
                    agents.deploy(agent, modules[agent])
                    if not table.start:
                        client.change_agent(agent, "stop")
                yield agents
                client.stop_daemon()
            daemon.wait(STOP_S)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()


@dataclass(slots=True)
class Running:
    """Agents that run. `client` is the daemon's API, for whatever is not here."""

    client: Client
    project: Project
    modules: Mapping[str, bytes]
    _builds: int = field(default=1, repr=False)

    def ask(
        self,
        content: object = None,
        *,
        to: str | None = None,
        performative: str = "request",
        **parameters: Any,
    ) -> Message:
        """Send a message as the operator and return the answer to it, the whole message.

        `to` may be left out where there is one agent; `parameters` are the message's other members, such as
        `protocol` or `conversation_id`. Raises TimedOut where nothing comes within ten seconds.
        """
        message = {
            "receiver": self._named(to),
            "performative": performative,
            "content": content,
            **parameters,
        }
        said = self.client.send(message, wait_s=ANSWER_S)
        if not said.replies:
            raise TimedOut(
                f"{message['receiver']} did not answer the {performative} within {ANSWER_S:g} s",
                hint="an agent may say nothing; for what needs no answer there is tell",
            )
        return said.replies[0].message

    def tell(
        self,
        content: object = None,
        *,
        to: str | None = None,
        performative: str = "inform",
        **parameters: Any,
    ) -> None:
        """Send a message as the operator that needs no answer; returns when it is committed."""
        message = {
            "receiver": self._named(to),
            "performative": performative,
            "content": content,
            **parameters,
        }
        self.client.send(message)

    def swap(self, agent: str | None = None) -> DeploymentBody:
        """Take the agent's module in once more as a new build, as a save does; the deployment.

        The new build is the same code under another name, so what an agent forgets over this it forgets over every
        save.
        """
        name = self._named(agent)
        self._builds += 1
        return self.deploy(name, edition(self.modules[name], self._builds))

    def deploy(self, agent: str, module: bytes) -> DeploymentBody:
        """Bring another build to an agent, with the settings and limits of its table; the deployment."""
        table = self.project.config.agents[agent]
        done = self.client.deploy(
            agent,
            module,
            settings=table.settings,
            limits=msgspec.structs.asdict(self.project.config.limits_of(agent)),
            profile=table.profile,
            recover=table.recover,
        )
        if done.state != "running":
            raise NotReady(f"{agent} was not taken in: {done.reason}", hint="its last words: agents.logs()")
        return done

    def logs(self, agent: str | None = None) -> list[LogBody]:
        """What an agent logged so far, oldest first."""
        return self.client.agent_logs(self._named(agent))

    def _named(self, agent: str | None) -> str:
        names = list(self.project.config.agents)
        if agent is None and len(names) != 1:
            raise ConfigurationError(
                f"there are {len(names)} agents: {', '.join(names)}", hint="say which one is meant"
            )
        return agent or names[0]


def _without_agents(config: Config) -> str:
    """What the configuration says besides its agents, as TOML: those are brought one by one."""
    said = config.model_dump(exclude={"agents"}, exclude_unset=True)
    return "".join(f"{key} = {_toml(value)}\n" for key, value in said.items())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value)
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in inner.items()) + "}"
    return exact_numbers.text(value, -1)
