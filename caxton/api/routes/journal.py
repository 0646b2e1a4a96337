"""`/api/v1/journal`: what is in the journal, what keeps it from shrinking, and whether its clock is trusted."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from caxton.agents.life import state_name
from caxton.api.openapi import described
from caxton.api.responses import answer
from caxton.api.routing import noun_router
from caxton.api.services import Services, durable, services_of
from caxton.journal import Needed
from caxton.schemas.journal import JournalDetail
from caxton.schemas.shape import iso

router = noun_router("/journal", "journal")


@router.get("", response_model=described(JournalDetail))
async def show(request: Request) -> Response:
    """The journal, and what keeps it from shrinking."""
    return answer(await _detail(services_of(request)))


@router.post("/trust-clock", response_model=described(JournalDetail))
async def trust_clock(request: Request) -> Response:
    """Say that the wall clock is right as it is, so that rows are removed for their age again."""
    services = services_of(request)
    doubt = services.journal.kept.doubt
    if doubt is not None:
        async with durable(services):
            services.journal.trust_clock()
            services.bus.event("daemon", body={"what": "clock_trusted", "reason": doubt})
    return answer({**await _detail(services), "clock_doubt": None})


async def _detail(services: Services) -> dict[str, object]:
    stored, kept = await services.reader.stats(), services.journal.kept
    table = services.config.config.journal
    low_water = services.bus.low_water()
    return {
        "first_seq": stored.first_seq or None,
        "last_seq": stored.last_seq,
        "first_at": iso(stored.first_us) if stored.first_us else None,
        "removed_upto": stored.trimmed_upto,
        "file_bytes": stored.file_bytes,
        "used_bytes": stored.used_bytes,
        "counted_bytes": kept.counted,
        "keep_days": table.keep_days,
        "keep_mib": table.keep_mib,
        "memory_mib": table.memory_mib,
        "keys_days": table.keys_days,
        "oldest_unfinished": low_water + 1 if low_water < services.bus.last_seq else None,
        "pinned": kept.pinned._asdict(),
        "memories": _by_agent(services, kept.memories),
        "unfinished": _by_agent(services, kept.unfinished),
        "clock_doubt": kept.doubt,
        "pages": services.journal.checked.of,
        "checked_pages": services.journal.checked.pages,
        "failed": services.journal.failed,
        "trouble": services.journal.trouble,
    }


def _by_agent(services: Services, needed: Mapping[int, Needed]) -> list[dict[str, object]]:
    records = {record.number: record for record in services.agents.registry.agents.values()}
    return [
        {
            "agent": records[number].name if number in records else None,
            "state": state_name(records[number].life) if number in records else None,
            **one._asdict(),
        }
        for number, one in sorted(needed.items(), key=lambda one: -one[1].bytes)
    ]
