"""From a message on the screen to the draft of another: an answer to it, the same again, or a new one.

In: the message, and the conversation that it stands in. Out: the form in which the draft is completed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from caxton import exact_numbers
from caxton.diagram import TimelineMessage
from caxton.schemas.held import HeldBody
from caxton.schemas.messages import MessageBody
from caxton.schemas.shape import Message
from caxton_tui.forms.message_form import Draft, MessageForm
from caxton_tui.model import formatting
from caxton_tui.model.context import ViewContext
from caxton_tui.model.legal_acts import legal_acts


def message_form(
    context: ViewContext, spoken: TimelineMessage | None = None, *, reply: bool = False, to: str = ""
) -> MessageForm:
    """The form for a new message, an answer to that one (`reply`), or that one again."""
    store = context.store
    agents = store.agent_names
    if spoken is None:
        return MessageForm(Draft(to=to, agents=agents, title="Write a message"))
    message = spoken.body.message
    if not reply:
        return MessageForm(
            Draft(
                to=", ".join(spoken.receivers),
                act=spoken.act,
                protocol=str(message.protocol or ""),
                content=text_of(message),
                agents=agents,
                title=f"{spoken.number} again, in a conversation of its own",
            )
        )
    speaker = _client((message.sender,), store.platform) or _client(message.receiver, store.platform)
    speaker = speaker or f"operator@{store.platform}"
    # who answers what was said by the client itself goes on with those to whom it was said
    others = message.receiver if speaker == message.sender else [message.sender]
    acts = legal_acts(_bodies(context), str(message.conversation_id), speaker, others[0], context.now_us)
    name = formatting.short(speaker, store.platform)
    return MessageForm(
        Draft(
            to=", ".join(formatting.short(one, store.platform) for one in others),
            act=next((act for act in _LIKELY if acts is None or act in acts), acts[0] if acts else ""),
            protocol=str(message.protocol or ""),
            conversation=str(message.conversation_id),
            in_reply_to=str(message.reply_with or "") if speaker != message.sender else "",
            sender=None if name == "operator" else name,
            legal=acts,
            agents=agents,
            title=f"Answer {spoken.act} as {name}",
        )
    )


_LIKELY: Final = ("inform", "agree", "propose")
"""The acts that an answer most likely is."""


def _client(names: Sequence[object], platform: str) -> str | None:
    """The first of these that is a client."""
    return next(
        (str(name) for name in names if formatting.short(name, platform).split(".")[0] == "operator"), None
    )


def _bodies(context: ViewContext) -> list[MessageBody | HeldBody]:
    conversation = context.store.conversation
    timeline = conversation.timeline(context.store.platform) if conversation else None
    return [spoken.body for spoken in timeline.spoken] if timeline else []


def text_of(message: Message) -> str:
    """The content as it is written in the form."""
    value = message.content
    if value is None:
        return ""
    return value if isinstance(value, str) else exact_numbers.text(value, 2)
