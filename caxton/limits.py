"""The limits of one agent (DESIGN.md 4): what a turn may use and what may wait for it.

In: numbers from `caxton.toml` or the API. Out: a frozen value that the daemon, the bus and the cell all read.
"""

from __future__ import annotations

import msgspec

KIB = 1024
MIB = 1024 * KIB

TREE_WAITING = 10_000
"""Messages of one causal tree that may wait at the same time, where the configuration says nothing else."""

MESSAGE_CEILING = 16 * MIB
"""No limit of an agent may raise a message above this many bytes."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one agent may use. Every field is enforced and shown by `caxton agent show`."""

    memory_bytes: int = 16 * MIB
    """Linear memory of the instance, in bytes."""
    fuel: int = 100_000_000
    """Fuel of one call into the guest, in wasmtime's units (about one a wasm instruction)."""
    wall_ms: int = 1_000
    """Wall time of one call into the guest, in milliseconds."""
    message_bytes: int = 256 * KIB
    """One message as JSON, in bytes, in either direction."""
    output_bytes: int = MIB
    """Everything one turn says, in bytes."""
    messages_out: int = 1_024
    """Messages one turn may send."""
    receivers: int = 1_024
    """Receivers of one message."""
    log_lines: int = 100
    """Log records of one turn; further ones are counted and dropped."""
    mailbox: int = 10_000
    """Messages that may wait for the agent, those in its cell included."""
    mailbox_bytes: int = 64 * MIB
    """With so many bytes in its mailbox it takes no message more."""
    hops: int = 100_000
    """Length of a causal chain of messages."""
    snapshot_bytes: int = MIB
    """The agent's state, in bytes, where it is kept."""
    snapshot_fuel: int = 1_000_000_000
    """Fuel of one call that gives the agent's state or takes it."""
    snapshot_wall_ms: int = 10_000
    """Wall time of such a call, in milliseconds."""
    poison_after: int = 2
    """In so many turns on one message its cell may die; then the message is a dead letter."""
    turns_per_s: int = 0
    """Turns that it may begin in a second; 0 for no bound of its own."""
    urgent: int = 0
    """Urgent messages of agents that may stand in front of its mailbox at a time; 0 for none: they wait in order."""
    put_backs: int = 1_000
    """How often it may put one message back."""


BOUNDS: dict[str, tuple[int, int]] = {
    "memory_bytes": (64 * KIB, 1024 * MIB),
    "fuel": (1_000, 10**12),
    "wall_ms": (1, 600_000),
    "message_bytes": (256, MESSAGE_CEILING),
    "output_bytes": (256, 4 * MESSAGE_CEILING),
    "messages_out": (1, 10_000),
    "receivers": (1, 10_000),
    "log_lines": (0, 10_000),
    "mailbox": (1, 1_000_000),
    "mailbox_bytes": (256, 16 * 1024 * MIB),
    "hops": (1, 1_000_000_000),
    "snapshot_bytes": (256, 4 * MESSAGE_CEILING),
    "snapshot_fuel": (1_000, 10**12),
    "snapshot_wall_ms": (1, 600_000),
    "poison_after": (1, 100),
    "turns_per_s": (0, 1_000_000),
    "urgent": (0, 10_000),
    "put_backs": (0, 1_000_000),
}
"""Smallest and largest value of each limit; outside them the configuration is refused."""
