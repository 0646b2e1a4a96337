"""`/api/v1/dead-letters`: messages that could not be handled, with their reasons; delivered again, or put away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from caxton import exact_numbers
from caxton.api.bodies import content_of
from caxton.api.openapi import described
from caxton.api.parameters import Before, Limit, Seqs
from caxton.api.responses import answer, page
from caxton.api.routing import noun_router
from caxton.api.rows import dead_letter_body
from caxton.api.services import Services, durable, full_name, services_of
from caxton.bus.redelivery import Redelivery
from caxton.errors import InvalidState, MessageNotFound
from caxton.finding import Filter, MessageSubject
from caxton.journal import StoredDeadLetter, StoredMessage
from caxton.schemas.messages import DeadLetters, LettersGone
from caxton.schemas.shape import Message

router = noun_router("/dead-letters", "dead letters")

PORTION = 1_000
Letter = tuple[StoredDeadLetter, StoredMessage]


class LetterChoice(BaseModel):
    """Which dead letters are meant: these messages, or all that fit; at least one of it must be said."""

    model_config = ConfigDict(extra="forbid")

    seqs: Seqs = Field(default=None, max_length=PORTION)
    agent: str | None = Field(default=None, max_length=128, description="Only of this agent.")
    code: str | None = Field(default=None, max_length=128, description="Only with this reason's code.")
    filter: str | None = Field(default=None, max_length=4096, description="Only messages that it finds.")
    limit: int = Field(default=PORTION, ge=1, le=PORTION, description="No more than so many.")


class Redelivered(LetterChoice):
    """Those, sent once more; with `content` instead of what one of them said."""

    content: Any = None


@router.get("", response_model=described(DeadLetters))
async def list_dead_letters(
    request: Request,
    agent: Annotated[str | None, Query(max_length=1024)] = None,
    code: Annotated[str | None, Query(max_length=128, description="Only with this reason's code.")] = None,
    seq: Annotated[int | None, Query(ge=0, lt=1 << 62, description="Only of this message.")] = None,
    waiting: Annotated[bool, Query(description="Only those that nobody did anything about.")] = False,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """Dead letters, the newest first, each with its message while that is kept."""
    services = services_of(request)
    rows = await services.reader.dead_letters(
        seq=seq,
        agent=full_name(services, agent),
        code=code,
        waiting=waiting,
        before_seq=before,
        limit=limit,
    )
    bodies = [dead_letter_body(row) for row in rows]
    for body in bodies:
        stored = await services.reader.message(body["seq"])
        if stored is not None:
            body["message"] = msgspec.Raw(stored.body)
    return page(bodies, rows[-1].seq if len(rows) == limit else None)


@router.post("/redeliver", response_model=described(LettersGone))
async def redeliver(request: Request, choice: Redelivered) -> Response:
    """Send dead letters once more, each once and in their order, to the agent that could not handle them.

    What cannot be delivered now either is kept, with the reason.
    """
    services = services_of(request)
    changed = "content" in choice.model_fields_set
    async with services.redriving, durable(services):
        letters = await _meant(services, choice)
        if changed and len(letters) != 1:
            raise InvalidState(
                f"{len(letters)} dead letters are meant, and one content is for one of them",
                hint="name it by its number, and its agent where it has several",
            )
        content = content_of(await request.body()) if changed else None
        redelivery = Redelivery(services.bus)
        done: list[dict[str, Any]] = []
        kept: list[dict[str, Any]] = []
        for letter, stored in letters:
            told: dict[str, Any] = {"seq": letter.seq, "agent": letter.agent}
            try:
                sent = redelivery.redeliver(letter, stored, content)
            except InvalidState as error:
                kept.append({**told, "reason": error.message, "hint": error.hint})
            else:
                done.append({**told, "went_on": sent.seq, "conversation_id": sent.message.conversation_id})
    return answer({"done": done, "kept": kept})


@router.post("/drop", response_model=described(LettersGone))
async def drop(request: Request, choice: LetterChoice) -> Response:
    """Put dead letters away: they are not listed as waiting any more. Their messages stay in the journal."""
    services = services_of(request)
    async with services.redriving, durable(services):
        letters = await _meant(services, choice)
        redelivery = Redelivery(services.bus)
        for letter, _ in letters:
            redelivery.drop(letter)
    done = [
        {"seq": letter.seq, "agent": letter.agent, "went_on": None, "conversation_id": None}
        for letter, _ in letters
    ]
    return answer({"done": done, "kept": []})


async def _meant(services: Services, choice: LetterChoice) -> Sequence[Letter]:
    """Those that wait and are meant, the oldest first."""
    if choice.seqs is None and choice.agent is None and choice.code is None and choice.filter is None:
        raise InvalidState("it is not said which dead letters are meant", hint="for all: an empty filter")
    wanted = Filter(choice.filter or "")
    agent = full_name(services, choice.agent)
    rows: list[StoredDeadLetter] = []
    if choice.seqs is None:
        rows = await services.reader.dead_letters(
            agent=agent, code=choice.code, waiting=True, limit=choice.limit
        )
    else:
        for seq in dict.fromkeys(choice.seqs):
            found = await services.reader.dead_letters(seq=seq, agent=agent, code=choice.code)
            waiting = [row for row in found if row.ended is None]
            if not found:
                raise MessageNotFound(f"message {seq} is no dead letter", hint="see: caxton dead-letter list")
            if not waiting:
                one = found[0]
                as_what = "" if one.went_on is None else f" as message {one.went_on}"
                raise InvalidState(f"message {seq} was {one.ended} already{as_what}")
            rows += waiting
    letters: list[Letter] = []
    for row in sorted(rows, key=lambda row: (row.seq, row.agent)):
        stored = await services.reader.message(row.seq)
        if stored is not None and wanted.passes(_subject(services, stored)):
            letters.append((row, stored))
    return letters


def _subject(services: Services, stored: StoredMessage) -> MessageSubject:
    message = Message(exact_numbers.decode(stored.body))
    return MessageSubject(message, services.config.config.platform)
