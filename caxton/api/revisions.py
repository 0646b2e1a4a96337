"""What two writers must not do to each other unseen: a revision goes out as `ETag`, and comes back as `If-Match`.

In: what a resource is now, the revisions that a request is meant for. Out: nothing, or `Changed` where it is another.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from fastapi import Header

from caxton.errors import Changed

IfMatch = Annotated[
    str | None,
    Header(max_length=1024, description="Only if it is still what an `ETag` said; 412 otherwise."),
]


def revision_of(content: bytes) -> str:
    """The revision of something that consists of these bytes."""
    return sha256(content).hexdigest()[:16]


def etag(revision: str | None) -> dict[str, str]:
    """The header that an answer shows it by; nothing where there is none yet."""
    return {} if revision is None else {"ETag": f'"{revision}"'}


def meant(if_match: str | None) -> frozenset[str] | None:
    """The revisions that a request is meant for; None where it is for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(one.strip().strip('"') for one in if_match.split(","))


def check(if_match: str | None, revision: str) -> None:
    """Raises Changed where it is meant for another."""
    wanted = meant(if_match)
    if wanted is not None and revision not in wanted:
        raise Changed("somebody has changed it meanwhile", hint="look at it again", revision=revision)
