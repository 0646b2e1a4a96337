# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportUnusedExpression=false
"""What a misspelt field of an answer is: an error of the type checker. Each `ignore` below is one that it finds."""

from __future__ import annotations

from datetime import datetime

from caxton.client import AsyncClient, Client


def fields(client: Client) -> tuple[str, int, datetime]:
    """Fields with their types."""
    status = client.status()
    return status.project, status.journal.bytes, status.started_at


def misspelt(client: Client) -> None:
    """Fields that there are not, and a subscript."""
    client.status().projekt  # type: ignore[attr-defined]
    client.status().journal.byte  # type: ignore[attr-defined]
    client.agent("a").revison  # type: ignore[attr-defined]
    client.messages()[0].message.performativ  # type: ignore[attr-defined]
    client.status()["project"]  # type: ignore[index]


async def misspelt_as_well(client: AsyncClient) -> None:
    """The same of the other client."""
    (await client.agent("a")).revison  # type: ignore[attr-defined]
    async for event in client.events():
        event.stored.mesage  # type: ignore[attr-defined]
