"""`/api/v1/tasks`: run a whole protocol with one call, and see what came of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Request
from starlette.responses import Response

from caxton.api.bodies import content_of, read_body
from caxton.api.idempotency import Claim, IdempotencyKey
from caxton.api.openapi import described
from caxton.api.parameters import Before, Limit
from caxton.api.responses import answer, page
from caxton.api.routes.messages import LONGEST_WAIT_S, duration
from caxton.api.routing import noun_router
from caxton.api.services import Services, services_of
from caxton.duration import PATTERN
from caxton.errors import InvalidTask
from caxton.schemas.messages import TaskDetail, Tasks
from caxton.schemas.shape import iso
from caxton.schemas.task_body import TaskBody
from caxton.tasks import BranchView, Order, Shape, TaskRequest, TaskSummary, TaskView, task_id

CANCEL_WAIT_S = 10.0
"""How long a cancel waits for the task's end where nothing else is asked for."""

router = noun_router("/tasks", "tasks")

Wait = Annotated[
    str | None,
    Query(
        description='How long to wait for its end, in seconds or as "5s"; to its end where left out.',
        json_schema_extra={"pattern": PATTERN},
    ),
]


@router.post(
    "",
    status_code=201,
    response_model=described(TaskDetail),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": TaskBody.model_json_schema()}},
        }
    },
)
async def run(request: Request, wait: Wait = None, idempotency_key: IdempotencyKey = None) -> Response:
    """Run a protocol; 201 when it has ended, 202 when it still runs after `wait`. With an `Idempotency-Key` a request
    that is repeated is answered with the task that it began."""
    services = services_of(request)
    line = await request.body()
    body = read_body(TaskBody, line, InvalidTask)
    patience = _patience(wait, LONGEST_WAIT_S)
    wish = task_wish(body, line)
    if idempotency_key is None:
        return await _shown(services, await services.tasks.begin(wish), patience, 201)
    claim = Claim.of(services.bus.full_name(body.sender or "operator"), idempotency_key, line, kind="task")
    async with request.app.state.keys.alone(claim.owned):
        known = await services.reader.client_key(claim.owned)
        if known is None:
            id = await services.tasks.begin(wish, client_key=claim.key)
        else:
            id = task_id(known.at_us)
            claim.check(known.key, id=id)
    return await _shown(services, id, patience, 201)


@router.get("", response_model=described(Tasks))
async def list_tasks(
    request: Request,
    before: Before = None,
    limit: Limit = 50,
) -> Response:
    """Tasks, the newest first, without their branches."""
    found, following = await services_of(request).tasks.summaries(before=before, limit=limit)
    return page([_summary(one) for one in found], following)


@router.get("/{id}", response_model=described(TaskDetail))
async def show(request: Request, id: Annotated[str, Path(max_length=64)], wait: Wait = None) -> Response:
    """One task with every branch; with `wait`, when it has ended or the time is over."""
    return await _shown(services_of(request), id, _patience(wait, 0.0), 200)


@router.post("/{id}/cancel", response_model=described(TaskDetail))
async def cancel(request: Request, id: Annotated[str, Path(max_length=64)], wait: Wait = None) -> Response:
    """Cancel a task: what is open in it is cancelled by its protocol, and it ends when the answers to that have come,
    after 2 s at the latest. Answers when it has ended or `wait` is over."""
    services = services_of(request)
    await services.tasks.cancel(id)
    return await _shown(services, id, _patience(wait, CANCEL_WAIT_S), 200)


async def _shown(services: Services, id: str, patience_s: float, status: int) -> Response:
    await services.tasks.ended(id, patience_s)
    view = await services.tasks.view(id)
    return answer(task_detail(view), 202 if status == 201 and view.summary.ended_us is None else status)


def _patience(wait: str | None, usual: float) -> float:
    return usual if wait is None else duration("wait", wait, LONGEST_WAIT_S)


def task_wish(body: TaskBody, line: bytes) -> TaskRequest:
    """The body as a wish."""
    given = body.model_dump(exclude={"to", "content"})
    to = body.to.split(",") if isinstance(body.to, str) else body.to
    return TaskRequest(
        to=[name.strip() for name in to if name.strip()],
        content=content_of(line),
        **given,
    )


def _summary(one: TaskSummary) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.structs.asdict(one)
    del body["created_us"], body["ended_us"]
    body["created_at"] = iso(one.created_us)
    body["ended_at"] = iso(one.ended_us) if one.ended_us is not None else None
    return body


def task_detail(view: TaskView) -> dict[str, Any]:
    """A `TaskDetail`."""
    return {
        **_summary(view.summary),
        "phase": view.phase,
        "branches": [_branch(branch) for branch in view.branches],
        "received": view.received,
        "sent": view.sent,
        "missing": view.missing,
        "late": view.late,
        "price": view.price,
        "violations": view.violations,
        "request": _order(view.order),
    }


def _branch(branch: BranchView) -> dict[str, Any]:
    return msgspec.structs.asdict(branch)


def _order(order: Order) -> dict[str, Any]:
    return {
        "act": order.act,
        "content": order.content,
        "choose": str(order.choice) if order.shape is Shape.CALL else None,
        "winners": order.winners,
        "rounds": order.rounds,
        "informs": order.informs,
        "price": order.price,
        "step": order.step,
        "limit": order.limit,
        "reply_by": iso(order.reply_by_us),
        "deadline": iso(order.deadline_us),
        "language": order.language,
        "ontology": order.ontology,
    }
