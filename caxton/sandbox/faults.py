"""How a call into a guest can fail, as one exception, and text from guests made fit to be shown."""

from __future__ import annotations

import re

import msgspec

from caxton.sandbox.frames import Fault
from caxton.turn_status import Status

TEXT_CEILING = 512
"""Characters of a guest's text that are kept."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


def shown(text: str, most: int = TEXT_CEILING) -> str:
    """A guest's text on one line, without control or direction characters, at most `most` characters."""
    # cut before the search too: a name may be megabytes long
    text = _UNPRINTABLE.sub(" ", text[: most * 4]).strip()
    return text if len(text) <= most else text[: most - 1] + "…"


class GuestFault(Exception):
    """Raised when a call did not end well.

    `status` is TRAP, LIMIT or BROKEN where the instance is lost, GUEST_ERROR where the guest said no and
    stays, UNHANDLED where nothing was run. `count` is the size of the guest's error code, `fuel` what the
    call is charged.
    """

    def __init__(
        self,
        status: Status,
        code: str,
        reason: str,
        hint: str | None = None,
        *,
        count: int = 0,
        fuel: int = 0,
        logs: bytes = b"",
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = shown(reason)
        self.hint = hint
        self.count = count
        self.fuel = fuel
        self.logs = logs
        """Log records, one a line, of a turn that the guest refused."""
        self.lost: list[int] = []

    def advise(self, hint: str) -> GuestFault:
        """The same, with what to do about it where it does not say that."""
        self.hint = self.hint or hint
        return self

    def charge(self, fuel: int) -> GuestFault:
        """The same, at that price, whatever it said before."""
        self.fuel = fuel
        return self

    def payload(self) -> bytes:
        """The fault as the JSON of a result frame."""
        return msgspec.json.encode(Fault(code=self.code, reason=self.reason, hint=self.hint, lost=self.lost))


def broken(code: str, reason: str, hint: str | None = None) -> GuestFault:
    """The guest broke a rule of the ABI."""
    return GuestFault(Status.BROKEN, code, reason, hint)


def over(code: str, reason: str, hint: str | None = None) -> GuestFault:
    """The guest went over one of its limits."""
    return GuestFault(Status.LIMIT, code, reason, hint)
