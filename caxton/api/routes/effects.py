"""`/api/v1/effects`: the ways to the world, and how calls of them ended."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from caxton.api.openapi import described
from caxton.api.responses import page
from caxton.api.routing import noun_router
from caxton.api.services import services_of
from caxton.schemas.daemon import EffectList

router = noun_router("/effects", "effects")


@router.get("", response_model=described(EffectList))
async def effects(request: Request) -> Response:
    """Every effect: its process, the calls that are open, and how those since the start ended."""
    return page(list(services_of(request).effects.views()), None)
