"""A long list is decoded in pieces, between which others in the loop have their turns."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from shapes import made

from caxton.client.chunked_decode import AT_ONCE, items_of
from caxton.schemas.messages import TurnRow
from caxton.schemas.shape import plain


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 10 * AT_ONCE])
async def test_the_items_come_whole_and_others_have_their_turns(count: int) -> None:
    items = [made(TurnRow, {"agent": f"a-{number}é\n", "seq": number}) for number in range(count)]
    turns = itertools.count()

    async def other() -> None:
        while True:
            next(turns)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        beside = group.create_task(other())
        assert await items_of(json.dumps({"items": plain(items), "next": None}).encode(), TurnRow) == items
        beside.cancel()
    assert next(turns) >= count // AT_ONCE - 1
