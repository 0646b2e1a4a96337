"""Every error that Caxton shows to a person or a client, as one tree.

In: what went wrong, in words. Out: an exception with a stable code, one sentence, a hint for what to do,
details for machines, an HTTP status and a CLI exit code. The shape of the tree is the architecture document's
("Comprehensive Error Model").
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar


class Exit(IntEnum):
    """What the CLI's exit code means (DESIGN.md 6)."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    UNREACHABLE = 4
    AGENT_FAILED = 5
    EXPECTATION = 6
    PROTOCOL = 7
    LIMIT = 8
    TIMED_OUT = 124


class CaxtonError(Exception):
    """One refusal: what, why, and what to do about it.

    `message` is one sentence without a final newline, `hint` one more or None, `details` a JSON object.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    exit: ClassVar[Exit] = Exit.UNEXPECTED
    retry_after_s: ClassVar[int | None] = None
    """After how many seconds the same may be tried again, where that may help."""

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = details

    def body(self) -> dict[str, Any]:
        """The error as the API sends it: `{"error": {"code", "message", "hint", "details"}}`."""
        return {
            "error": {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}
        }


class AgentError(CaxtonError):
    """An agent cannot do what was asked of it."""

    code = "agent_error"
    status = 409
    exit = Exit.AGENT_FAILED


class AgentNotFound(AgentError):
    """Raised when no agent has that name."""

    code = "agent_not_found"
    status = 404


class AgentExists(AgentError):
    """Raised when an agent of that name is there already."""

    code = "agent_exists"


class InvalidState(AgentError):
    """Raised when an agent's state does not allow the step that was asked for."""

    code = "invalid_state"


class Changed(CaxtonError):
    """Raised when a request is meant for a revision that is not the present one."""

    code = "changed"
    status = 412
    exit = Exit.AGENT_FAILED


class RoutingError(CaxtonError):
    """A message cannot be taken or delivered."""

    code = "routing_error"
    status = 422
    exit = Exit.USAGE


class InvalidFilter(CaxtonError):
    """Raised when what was typed to find something is no filter."""

    code = "invalid_filter"
    status = 400
    exit = Exit.USAGE


class KeyTaken(RoutingError):
    """Raised when an idempotency key comes again with another message."""

    code = "key_taken"
    status = 409


class InvalidMessage(RoutingError):
    """Raised when what was sent is not a message."""

    code = "invalid_message"
    status = 400


class MessageTooLarge(RoutingError):
    """Raised when a message is larger than the limit."""

    code = "message_too_large"
    status = 413
    exit = Exit.LIMIT


class ProtocolViolated(RoutingError):
    """Raised by the command line when the referee stopped a message that breaks its protocol."""

    code = "protocol_violation"
    exit = Exit.PROTOCOL


class MessageNotFound(RoutingError):
    """Raised when no message of that id or number is in the journal."""

    code = "message_not_found"
    status = 404


class ConversationNotFound(RoutingError):
    """Raised when no message of that conversation is in the journal."""

    code = "conversation_not_found"
    status = 404


class BreakNotFound(RoutingError):
    """Raised when no break point has that id or name."""

    code = "break_not_found"
    status = 404


class NotHeld(RoutingError):
    """Raised when a message is not held: it never was, or it has gone on already."""

    code = "not_held"
    status = 410


class HeldBehind(RoutingError):
    """Raised when a held message cannot go on before another."""

    code = "held_behind"


class InvalidTask(RoutingError):
    """Raised when what was asked for is not a task that can be run."""

    code = "invalid_task"
    status = 400


class TaskNotFound(RoutingError):
    """Raised when no task has that id."""

    code = "task_not_found"
    status = 404


class DeploymentError(CaxtonError):
    """A revision could not be brought to an agent."""

    code = "deployment_failed"
    status = 422
    exit = Exit.AGENT_FAILED


class DeploymentNotFound(DeploymentError):
    """Raised when no deployment has that number."""

    code = "deployment_not_found"
    status = 404


class InvalidModule(DeploymentError):
    """Raised when bytes are not a module that Caxton loads, or break the guest ABI."""

    code = "invalid_module"


class TransferError(CaxtonError):
    """An agent could not be taken along."""

    code = "transfer_failed"
    status = 422
    exit = Exit.AGENT_FAILED


class BundleError(TransferError):
    """Raised when bytes are not a bundle of an agent, or a damaged one."""

    code = "invalid_bundle"
    exit = Exit.USAGE


class WouldLose(TransferError):
    """Raised when something of an agent would be lost on its way; `details["lost"]` names each thing."""

    code = "would_lose"
    status = 409


class ResourceError(CaxtonError):
    """A limit was hit."""

    code = "limit_hit"
    status = 429
    exit = Exit.LIMIT


class MailboxFull(ResourceError):
    """Raised when an agent's mailbox has no room for a client's message; it may have room a moment later."""

    code = "mailbox_full"
    retry_after_s = 1


class TooManyRequests(ResourceError):
    """Raised when a client asks more often than it may."""

    code = "too_many_requests"
    retry_after_s = 1


class SecurityError(CaxtonError):
    """Something is not allowed here."""

    code = "not_allowed"
    status = 403
    exit = Exit.NOT_ALLOWED


class Unauthenticated(SecurityError):
    """Raised when a request over the network comes with no credential, or with one that is not valid."""

    code = "unauthenticated"
    status = 401


class TokenNotFound(SecurityError):
    """Raised when no token has that name or id."""

    code = "token_not_found"
    status = 404
    exit = Exit.USAGE


class TokenExists(SecurityError):
    """Raised when there is a token of that name, or no room for one more."""

    code = "token_exists"
    status = 409
    exit = Exit.USAGE


class Misdirected(SecurityError):
    """Raised when a request names a host that this daemon does not answer for."""

    code = "misdirected"
    status = 421


class ConfigurationError(CaxtonError):
    """What a person wrote in `caxton.toml` or on the command line cannot be used."""

    code = "invalid_configuration"
    status = 400
    exit = Exit.USAGE


class JournalError(CaxtonError):
    """The journal cannot be opened, read or written."""

    code = "journal_error"
    status = 503


class DiskTrouble(JournalError):
    """Raised when the disk under a project's state is full, read-only, not ours, or fails."""


class JournalDamaged(JournalError):
    """Raised when the file is not a Caxton journal or has lost rows; it is never replaced silently."""

    code = "journal_damaged"


class Unreachable(CaxtonError):
    """Raised when no daemon answers."""

    code = "daemon_unreachable"
    status = 503
    retry_after_s = 1
    exit = Exit.UNREACHABLE


class TimedOut(CaxtonError):
    """Raised when nothing came within the time that was given."""

    code = "timed_out"
    status = 504
    exit = Exit.TIMED_OUT
