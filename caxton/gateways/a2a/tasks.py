"""A conversation as an A2A task: the one place where the two protocols are compared.

In: conversations as the API shows them: the task's own, and those in which the agent asks its asker something. Out: a
`Task`. Nothing is kept but the journal, so a task is the same after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from a2a.types.a2a_pb2 import Artifact, Message, Role, Task, TaskState, TaskStatus
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from msgspec import UnsetType

from caxton.effects.a2a.content import parts_of
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import BranchBody, ConversationDetail, MessageBody
from caxton.schemas.shape import Message as Said
from caxton.schemas.shape import plain

MARK: Final = "x_a2a"
"""The key of a task's first message: `{"context": …}`."""
RESULT: Final = "result"
"""The id of the one artifact that a task has."""
ENDED: Final = frozenset(
    {
        TaskState.TASK_STATE_COMPLETED,
        TaskState.TASK_STATE_FAILED,
        TaskState.TASK_STATE_CANCELED,
        TaskState.TASK_STATE_REJECTED,
    }
)
ASKS: Final = frozenset({TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_AUTH_REQUIRED})
_QUESTIONS: Final = frozenset({"query-if", "query-ref", "request", "propose"})
_LAST_WORDS: Final = {
    "inform": TaskState.TASK_STATE_COMPLETED,
    "refuse": TaskState.TASK_STATE_REJECTED,
    "failure": TaskState.TASK_STATE_FAILED,
    "not-understood": TaskState.TASK_STATE_REJECTED,
}
"""What ends a task whose conversation nobody judges."""
_ENDING_WORDS: Final = {
    "refused": "refuse",
    "not-understood": "not-understood",
    "failed": "failure",
    "failed-delivery": "failure",
}
"""By which act a branch has come to such a state."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A task's conversation, and those of the agent's questions."""

    main: ConversationDetail
    asked: Sequence[ConversationDetail] = ()

    @property
    def first(self) -> Said:
        """The message that began it."""
        return self.main.items[0].message

    @property
    def client(self) -> str:
        """Who began it."""
        return self.first.sender

    @property
    def context(self) -> str:
        """The context's id: the client's, or the task's own."""
        return context_of(self.first)

    def messages(self) -> list[MessageBody]:
        """All that was said in it, in order."""
        return sorted(
            (one for talk in (self.main, *self.asked) for one in talk.items), key=lambda one: one.seq
        )

    def question(self) -> Said | None:
        """What the agent asks and has no answer to."""
        answered = {
            one.message.conversation_id for one in self.messages() if one.message.sender == self.client
        }
        for one in reversed(self.messages()):
            said = one.message
            if said.performative in _QUESTIONS and self.client in said.receiver:
                own = said.conversation_id == self.main.id
                later = any(
                    other.seq > one.seq and other.message.sender == self.client for other in self.main.items
                )
                if (own and not later) or (not own and said.conversation_id not in answered):
                    return said
        return None


def context_of(first: Said) -> str:
    """The context of the task that this message begins."""
    mark = first.json.get(MARK)
    found = cast("dict[str, Any]", mark).get("context") if isinstance(mark, dict) else None
    return str(found or first.conversation_id)


def task_of(seen: Seen, history: int | None = None) -> Task:
    """The task; `history`: no more than so many messages of it."""
    main, heard = seen.main, [one for one in seen.messages() if seen.client in one.message.receiver]
    state = _state(seen, heard)
    results = list(_results(seen))
    status = TaskStatus(state=state)
    status.timestamp.FromDatetime(main.last_at)
    shown = _shown(seen, state, heard)
    if shown is not None:
        status.message.CopyFrom(_message(seen, shown))
    artifacts = [
        Artifact(artifact_id=RESULT, parts=[one for said in results for one in parts_of(said.content)])
    ]
    spoken = [one.message for one in seen.messages() if one.message not in results]
    if history is not None:
        spoken = spoken[-history:] if history else []
    return Task(
        id=main.id,
        context_id=seen.context,
        status=status,
        artifacts=artifacts if results else [],
        history=[_message(seen, one) for one in spoken if one.performative != "agree"],
        metadata=ParseDict(_metadata(seen, state, heard), Struct()),
    )


def held_task(held: HeldBody) -> Task:
    """A task whose first message a break point holds: it has not happened yet."""
    said = held.message
    status = TaskStatus(state=TaskState.TASK_STATE_WORKING)
    status.timestamp.FromDatetime(held.at)
    metadata = ParseDict({"held": [held.seq]}, Struct())
    return Task(id=said.conversation_id, context_id=context_of(said), status=status, metadata=metadata)


def _state(seen: Seen, heard: Sequence[MessageBody]) -> TaskState:
    branch = seen.main.branches[0] if seen.main.branches else None
    acts = [one.message.performative for one in heard if one.message.conversation_id == seen.main.id]
    agreed = "agree" in acts
    if branch is None:
        found = next((_LAST_WORDS[act] for act in reversed(acts) if act in _LAST_WORDS), None)
        if found is not None:
            return TaskState.TASK_STATE_FAILED if agreed and acts[-1] == "not-understood" else found
    elif branch.state in ("cancelled", "cancelled-unconfirmed"):
        return TaskState.TASK_STATE_CANCELED
    elif not _is_told(seen, branch, acts):
        # the referee knows it a moment before the journal has the words
        return TaskState.TASK_STATE_WORKING
    elif branch.end == "success":
        return TaskState.TASK_STATE_COMPLETED
    elif branch.state == "refused" or (branch.state == "not-understood" and not agreed):
        return TaskState.TASK_STATE_REJECTED
    elif branch.end is not None:
        return TaskState.TASK_STATE_FAILED
    question = seen.question()
    if question is not None:
        wants = question.performative == "request" and "x_auth" in question.json
        return TaskState.TASK_STATE_AUTH_REQUIRED if wants else TaskState.TASK_STATE_INPUT_REQUIRED
    turns = seen.main.items[0].turns
    began = not isinstance(turns, UnsetType) and bool(turns)
    return (
        TaskState.TASK_STATE_WORKING if agreed or began or seen.main.held else TaskState.TASK_STATE_SUBMITTED
    )


def _is_told(seen: Seen, branch: BranchBody, acts: Sequence[str]) -> bool:
    """Whether the words that have ended a branch are there; time ends one without a word."""
    word = "inform" if branch.end == "success" else _ENDING_WORDS.get(branch.state)
    return word is None or word in acts or any(one.dead_letters for one in seen.main.items)


def _results(seen: Seen) -> Iterator[Said]:
    """The informs that are results: those of the task's conversation that confirm no cancel."""
    cancels = {one.message.reply_with for one in seen.main.items if one.message.performative == "cancel"}
    for one in seen.main.items:
        said = one.message
        told = said.performative == "inform" and seen.client in said.receiver
        if told and (said.in_reply_to is None or said.in_reply_to not in cancels):
            yield said


def _shown(seen: Seen, state: TaskState, heard: Sequence[MessageBody]) -> Said | None:
    """The message that says why the task is where it is."""
    if state in ASKS:
        return seen.question()
    if state == TaskState.TASK_STATE_COMPLETED:
        return None
    own = [one.message for one in heard if one.message.conversation_id == seen.main.id]
    return next((said for said in reversed(own) if said.performative != "inform"), None)


def _message(seen: Seen, said: Said) -> Message:
    user = said.sender == seen.client
    return Message(
        message_id=(said.reply_with if user else None) or said.id,
        context_id=seen.context,
        task_id=seen.main.id,
        role=Role.ROLE_USER if user else Role.ROLE_AGENT,
        parts=parts_of(said.content),
        metadata=ParseDict({"performative": said.performative, "sender": said.sender}, Struct()),
    )


def _metadata(seen: Seen, state: TaskState, heard: Sequence[MessageBody]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if seen.main.held:
        found["held"] = [one.seq for one in seen.main.held]
    violations = [
        {"rule": one.verdict.rule, "sentence": one.verdict.sentence, "sender": one.message.sender}
        for one in seen.messages()
        if one.verdict and one.verdict.legality == "violation"
    ]
    if violations:
        found["violations"] = violations
    if state == TaskState.TASK_STATE_FAILED:
        found |= _why(seen, heard)
    return found


def _why(seen: Seen, heard: Sequence[MessageBody]) -> dict[str, Any]:
    """A failure's code and reason: the agent's own, a dead letter's, or how the referee ended it."""
    for one in reversed(heard):
        content = plain(one.message.content)
        if one.message.performative in ("failure", "not-understood"):
            told = cast("dict[str, Any]", content) if isinstance(content, dict) else {"reason": content}
            code, reason = str(told.get("error") or "failed"), told.get("reason")
            return {"code": code} | ({"reason": str(reason)} if reason else {})
    for one in seen.main.items:
        for letter in one.dead_letters or ():
            return {"code": letter.code, "reason": letter.reason}
    branch = seen.main.branches[0]
    return {"code": branch.state.replace("-", "_")} | ({"reason": branch.reason} if branch.reason else {})
