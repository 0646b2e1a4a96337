"""Parameters that several routes take, each with its bounds: cursors and the size of a page.

In: text of a query. Out: numbers that the journal can compare with its own; what is outside is refused by name.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query

SEQ_MAX: Final = (1 << 63) - 1
"""The greatest number that a row could have."""

After = Annotated[int, Query(ge=0, le=SEQ_MAX, description="Only rows with a greater number.")]
Before = Annotated[int | None, Query(ge=1, le=SEQ_MAX, description="Only rows with a smaller number.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="The most items of one page.")]
