"""What the operator can do to the daemon, each with the command that does the same. No Textual in here.

In: names. Out: `Action`s; a screen asks, performs them through the reader and says what came of it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path
from typing import Final

from caxton.client import AsyncClient
from caxton.errors import ConfigurationError
from caxton.presentation.replays import cost
from caxton.schemas.deployments import ASK_LIVE, DeploymentBody
from caxton_tui.actions.action import Action, asked, options
from caxton_tui.model.json_object import Json

STEPS: Final = {
    "start": "start it; also takes it out of failed",
    "stop": "stop it after its present turn",
    "drain": "handle what waits, then stop",
    "restart": "handle what waits, stop, start again",
    "suspend": "keep its mail, take no turn",
    "resume": "go on after a suspension",
    "remove": "stop it and forget it",
}
"""The steps of an agent's life."""

_ASKED: Final = {
    "stop": "What waits for it becomes dead letters.",
    "remove": "It is forgotten; what waits for it becomes dead letters.",
}
_DECISIONS: Final = {
    "promote": AsyncClient.promote,
    "abort": AsyncClient.abort,
    ASK_LIVE: AsyncClient.ask_live,
}
REPLY_S: Final = 0.3
"""How long a message that was sent waits for a first reply, to say what came."""


def change(name: str, step: str) -> Action:
    """A step of an agent's life."""

    async def run(client: AsyncClient) -> str:
        if step == "remove":
            await client.remove_agent(name)
            return f"{name} is removed"
        agent = await client.change_agent(name, step)
        return f"{name} is {agent.state}"

    command = f"caxton agent {step} {shlex.quote(name)}" + (" --yes" if step == "remove" else "")
    return Action(f"{step} {name}", command, run, _ASKED.get(step, ""))


def deploy(name: str, file: str, strategy: str) -> Action:
    """Bring a module to an agent."""

    async def run(client: AsyncClient) -> str:
        module = await asyncio.to_thread(_module, file)
        done = await client.deploy(name, module, strategy=strategy)
        reason = f": {done.reason}" if done.reason else ""
        return f"{name} runs {str(done.revision)[:8]}, {done.state}{reason}"

    command = f"caxton agent deploy {shlex.quote(name)} {shlex.quote(file)}"
    return Action(
        f"deploy {file} to {name}", command + f" --strategy {strategy}" * (strategy != "direct"), run
    )


def _module(file: str) -> bytes:
    try:
        # expanduser of os.path leaves an unknown user's path as it is; that of pathlib raises
        return Path(os.path.expanduser(file)).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}", hint="name a .wasm or .wat file"
        ) from error


def rollback(deployment: DeploymentBody) -> Action:
    """Undo a deployment."""
    id, agent = deployment.id, deployment.agent
    return asked(
        f"roll {id} back",
        f"caxton deploy rollback {id}",
        lambda client: client.rollback(id),
        lambda done: f"{agent} is back at {str(done.revision)[:8]}, {done.state}",
        f"{agent} goes back to {(deployment.previous or 'nothing')[:8]}.",
    )


def decide(deployment: DeploymentBody, what: str, *, ask: bool = True) -> Action:
    """Promote or abort a deployment that is under way; a build that waits is accepted or dropped so."""
    id, agent, new = deployment.id, deployment.agent, (deployment.revision or "none")[:8]
    question = f"{agent} goes on without {new}."
    if what == "promote":
        question = f"{new} takes over from {agent}'s old revision now."
    elif what == ASK_LIVE:
        most = deployment.gate and cost(deployment.gate.totals.tokens, deployment.gate.totals.money)
        question = f"What {new} asks anew is asked for real" + (f": at most {most}." if most else ".")
    return asked(
        f"{what} {id}",
        f"caxton deploy {what} {id}",
        lambda client: _DECISIONS[what](client, id),
        lambda done: f"{agent}: {'waits' if done.waits else done.state}",
        question if ask else "",
    )


def pin(conversation: str, wanted: bool) -> Action:
    """Pin a conversation for the gate, or let it go again."""

    async def run(client: AsyncClient) -> str:
        if wanted:
            await client.pin(conversation)
            return "pinned: every build is tried on it, and one that changes an answer waits"
        await client.unpin(conversation)
        return "not pinned any more"

    step = "pin" if wanted else "unpin"
    return Action(f"{step} {conversation}", f"caxton conv {step} {shlex.quote(conversation)}", run)


def send(message: Json) -> Action:
    """Send a message as a client."""
    opens: list[str] = []

    async def run(client: AsyncClient) -> str:
        spoken = dict(message)
        said = await client.send(spoken, wait_s=REPLY_S, sender=spoken.pop("sender", None))
        opens.append(said.conversation_id)
        came = [reply.message.performative for reply in said.replies]
        return f"sent in {said.conversation_id}" + (f", answered: {', '.join(came)}" if came else "")

    return Action(f"send {message.get('performative', 'request')}", twin(message), run, opens=opens)


def task(body: Json) -> Action:
    """Run a whole protocol as its initiator."""
    opens: list[str] = []

    async def run(client: AsyncClient) -> str:
        begun = await client.run_task(body, wait_s=REPLY_S)
        opens.append(begun.conversation_id)
        return f"task {begun.id} is {begun.state}"

    names = {"to": "to", "content": "content", "reply_by": "reply-by", "choose": "choose"}
    command = f"caxton task run --protocol {shlex.quote(body['protocol'])}{options(body, names)}"
    return Action(f"start a {body['protocol']}", command, run, opens=opens)


def twin(message: Json) -> str:
    """The command that sends that message."""
    names = {
        "receiver": "to",
        "performative": "performative",
        "protocol": "protocol",
        "conversation_id": "conversation",
        "in_reply_to": "in-reply-to",
        "sender": "sender",
        "content": "content",
    }
    return f"caxton msg send{options(message, names)}"


def refused(title: str, command: str) -> Action:
    """What cannot be done where the operator only looks; the screen says so."""

    async def run(client: AsyncClient) -> str:
        raise AssertionError(title)

    return Action(title, command, run)
