"""What a request has done is on disk before it is answered, whether it has a number or not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from bus.harness import stand

from caxton.api.services import Services, durable
from caxton.journal import DROPPED_LETTER, DeadLetterEnd


async def test_rows_without_a_number_are_waited_for(tmp_path: Path) -> None:
    async with stand(tmp_path) as runtime:
        seq = runtime.ask("nobody")
        await runtime.commit()
        services = cast("Services", SimpleNamespace(bus=runtime.bus, journal=runtime.journal))
        async with durable(services):
            runtime.journal.batch.records.append(DeadLetterEnd(seq, "nobody@local", 1, DROPPED_LETTER, None))
        (letter,) = await runtime.journal.reader.dead_letters(seq=seq)
        assert letter.ended == DROPPED_LETTER
