"""Ids, made from a counter and a few random bytes, so that a seed gives the same ones again.

A message id is a UUID (version 8, RFC 9562) whose last 48 bits are the message's sequence number: unique because
the other bits are random per start of the daemon, and a lookup by id needs no index of its own.
"""

from __future__ import annotations

import random
import secrets
from hashlib import blake2b
from typing import Protocol

_HEX = frozenset("0123456789abcdef")
_LAST_DIGITS = [f"{number:03x}" for number in range(4096)]


class Named(Protocol):
    """A message, as far as its names say what it is for."""

    @property
    def in_reply_to(self) -> str | None:
        """The name of what it answers."""
        ...

    @property
    def conversation_id(self) -> str:
        """The name of its conversation."""
        ...


class Ids:
    """Makes every id of one run of the daemon.

    A message's id is `message_prefix` and its number as 12 hex digits, its span id `span_prefix` and the same digits.
    `seed` makes the run repeatable; without it the bits come from the operating system.
    """

    __slots__ = ("_block", "_message_block", "_random", "_span_block", "message_prefix", "span_prefix")

    def __init__(self, seed: int | str | None = None) -> None:
        source = random.Random(seed) if seed is not None else secrets.SystemRandom()
        bits = source.getrandbits(62)
        a, b, c = bits >> 30, (bits >> 18) & 0xFFF, bits & 0x3FFF
        self.message_prefix = f"{a:08x}-{source.getrandbits(16):04x}-8{b:03x}-{0x8000 | c:04x}-"
        self.span_prefix = f"{source.getrandbits(15) | 1 << 15:04x}"
        self._random = source
        self._block = -1
        self._message_block = self._span_block = ""

    def of(self, seq: int) -> tuple[str, str]:
        """The id and the span id of message `seq`."""
        block = seq >> 12
        if block != self._block:
            # the first nine digits change once in 4,096 messages
            self._block = block
            digits = f"{block:09x}"
            self._message_block, self._span_block = self.message_prefix + digits, self.span_prefix + digits
        last = _LAST_DIGITS[seq & 0xFFF]
        return self._message_block + last, self._span_block + last

    def trace(self) -> str:
        """A new W3C trace id (32 hex digits)."""
        return f"{self._random.getrandbits(128) | 1:032x}"

    def conversation(self) -> str:
        """A new conversation id, for a message that came without one."""
        return f"c-{self._random.getrandbits(64):016x}"


def message_seq(message_id: str) -> int | None:
    """The sequence number inside a message id, or None where it cannot be one of ours."""
    if len(message_id) != 36:
        return None
    try:
        return int(message_id[24:], 16)
    except ValueError:
        return None


def call_origin(agent: str, message: Named) -> int | None:
    """The key of the conversation in which an agent began the call that this message is for; None where it is for none.

    What a call of an agent in Python asks is named `LOCAL_NAME~KEY~MESSAGE_ID.N`, the key in 16 hex digits
    (sandbox/python/guest/caxton_waits.py).
    """
    prefix = f"{agent.partition('@')[0]}~"
    for about in (message.in_reply_to, message.conversation_id):
        if about is not None and about.startswith(prefix):
            key = about[len(prefix) : len(prefix) + 17]
            if len(key) == 17 and key[16] == "~" and _HEX.issuperset(key[:16]):
                return int(key[:16], 16)
    return None


def conversation_key(conversation_id: str) -> int:
    """A 63-bit number that stands for a conversation id in the journal's indexes.

    Two ids may share a key; readers compare the id itself as well.
    """
    return int.from_bytes(blake2b(conversation_id.encode(), digest_size=8).digest(), "big") >> 1
