"""What `caxton_snapshot` and `caxton_restore` may take: limits of their own, since turns say nothing of the state.

In: an instance's calls and its agent's limits. Out: the same calls with another budget for as long as a hook runs,
and faults that name the limit to raise. A state that is too long costs nothing: the call has returned, the instance
stays.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Protocol

import msgspec

from caxton.limits import Limits
from caxton.sandbox.faults import GuestFault
from caxton.turn_status import Status

KEYS: Final = {
    "fuel": "snapshot_fuel",
    "wall_time": "snapshot_wall_ms",
    "output_bytes": "snapshot_bytes",
}
"""What a call went over, and the limit that it was."""


class Budgeted(Protocol):
    """The calls into an instance, as far as their limits go."""

    def allow(self, limits: Limits) -> None:
        """Let every call from now on take what these limits say."""
        ...


@contextmanager
def snapshot_limits(calls: Budgeted, limits: Limits) -> Generator[Limits]:
    """The limits for the call of `caxton_snapshot` in the block."""
    own = msgspec.structs.replace(
        limits,
        fuel=limits.snapshot_fuel,
        wall_ms=limits.snapshot_wall_ms,
        output_bytes=limits.snapshot_bytes,
    )
    with _under(calls, limits, own):
        yield own


@contextmanager
def restore_limits(calls: Budgeted, limits: Limits) -> Generator[None]:
    """The limits for the call of `caxton_restore` in the block: no less than a turn has."""
    own = msgspec.structs.replace(
        limits,
        fuel=max(limits.fuel, limits.snapshot_fuel),
        wall_ms=max(limits.wall_ms, limits.snapshot_wall_ms),
    )
    with _under(calls, limits, own):
        yield


@contextmanager
def _under(calls: Budgeted, limits: Limits, own: Limits) -> Generator[None]:
    calls.allow(own)
    try:
        yield
    except GuestFault as fault:
        key = KEYS.get(fault.code)
        if key is None or fault.status != Status.LIMIT:
            raise
        raise GuestFault(fault.status, key, fault.reason, f"raise limits.{key}", fuel=fault.fuel) from None
    finally:
        calls.allow(limits)


def too_long(size: int, most: int) -> GuestFault:
    """The refusal of a state; the instance stays."""
    return GuestFault(
        Status.GUEST_ERROR,
        "snapshot_bytes",
        f"its state has {size:,} bytes, the limit is {most:,}",
        "raise limits.snapshot_bytes",
        count=1,
    )
