"""What the source of a Python agent may use, for editors and type checkers; an agent finds it in its sandbox.

The same names are there without an import, too.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, overload

Message = dict[str, Any]
"""A message as it is delivered: `performative`, `sender`, `content`, `conversation_id` and so on."""

_T = TypeVar("_T")
_Handler = TypeVar("_Handler", bound=Callable[..., Any])

name: str
"""The agent's local name."""
settings: dict[str, Any]
"""The agent's `settings` in `caxton.toml`."""
state: dict[str, Any]
"""Kept as JSON: it goes with the agent to every new build, and over a crash."""

def reply(performative: str, content: object = None, **fields: object) -> None:
    """Answer the message in hand, or that which began the call, in its conversation, unless `fields` say otherwise."""

def send(performative: str, receiver: str | list[str], content: object = None, **fields: object) -> None:
    """Send a message of its own; `receiver` is a name or a list of names."""

def put_back() -> None:
    """Put the message in hand back: not now. It comes again after the agent's next turn that puts nothing back.

    What was changed in `state` stays. A turn that puts its message back may send nothing.
    """

def log(text: object, level: Literal["debug", "info", "warning", "error"] = "info") -> None:
    """Write a line to the agent's log."""

class Failed(Exception):
    """Raised where the one that was asked answered by refuse, failure or not-understood."""

    message: Message
    performative: str
    content: Any
    code: str
    """What the answer has as `error`, such as "budget-exhausted"; empty where it has none."""
    reason: Any
    """What it has as `reason`; the whole content where it has none."""

class Timeout(Exception):
    """Raised where no answer came in time."""

class Cancelled(BaseException):
    """Raised in a call that is cancelled: whoever began it has cancelled it, or the operator."""

def ask(
    receiver: str, performative: str, content: object = None, timeout: float = 30, **fields: object
) -> Awaitable[Message]:
    """Ask another agent, at once; `await` gives its answer, a message.

    Raises Failed for refuse, failure and not-understood, Timeout after so many seconds. An agree is passed over.
    """

def sleep(seconds: float) -> Awaitable[None]:
    """`await sleep(0.5)`: go on after so many seconds; meanwhile the agent handles other messages."""

@overload
async def gather(*things: Awaitable[_T], return_exceptions: Literal[False] = False) -> list[_T]: ...
@overload
async def gather(*things: Awaitable[_T], return_exceptions: bool) -> list[_T | BaseException]:
    """Wait for all of them at the same time; their values in order.

    The first that raises ends the others, and is raised; with `return_exceptions` it stands among the values.
    """

def on(topic: str) -> Callable[[_Handler], _Handler]:
    """Let a function handle what is said to a topic, or with `*` to all topics of that kind; it may be async."""

class conversation:
    """`async with conversation("shop", protocol="fipa-request") as talk:` several questions in one conversation.

    Left by an exception while a question is open, it is cancelled.
    """

    def __init__(self, receiver: str, **fields: object) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def ask(
        self, performative: str, content: object = None, timeout: float = 30, **fields: object
    ) -> Awaitable[Message]:
        """Ask, as `ask` does."""

    def send(self, performative: str, content: object = None, **fields: object) -> None:
        """Say something that is no question."""

def model(
    messages: str | list[dict[str, Any]], name: str | None = None, timeout: float = 120, **options: object
) -> Coroutine[Any, Any, dict[str, Any]]:
    """Ask a model, at once; `await` gives its answer: `text`, `tool_calls`, `content` where there is a `schema`.

    `options` are the request's: tools, schema, max_tokens, temperature, seed. Raises Failed, whose `code` says why,
    and Timeout.
    """

def tool(name: str, /, *, timeout: float = 120, **arguments: object) -> Coroutine[Any, Any, dict[str, Any]]:
    """Call a tool, `SERVER.TOOL`, at once; `await` gives its answer: `content` and `structured`.

    Raises Failed, whose `code` says why, and Timeout.
    """

async def agent(
    model: str | None,
    tools: Iterable[str | Callable[..., object]],
    prompt: str | list[dict[str, Any]],
    rounds: int = 10,
    timeout: float = 120,
    **options: object,
) -> str:
    """Let a model work on a prompt with tools until it needs none; its last text.

    A tool is a name, `SERVER.TOOL`, or a function of the agent's own. What a tool fails with is told to the model.
    After so many rounds RuntimeError is raised. A prompt that is a list of messages grows by what was said.
    """
