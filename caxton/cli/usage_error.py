"""What cannot be used of a command line, said like every other error: one sentence, and what to do.

In: an exception of typer. Out: the sentence and the hint, and the exit code.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

from caxton.cli.output.printing import complain

_VALUE: Final = re.compile(
    r"Invalid value for '?([^':]+)'?(?: / '[^']+')*: (?:Value error, )?(.*)", re.DOTALL
)
_UNKNOWN: Final = re.compile("No such command '(.*?)'")
_EXTRA: Final = re.compile(r"Got unexpected extra arguments? ?(?:\(s\) )?\((.*)\)", re.DOTALL)
FEW: Final = 16
"""So many commands are named in a line or two."""
_ELSEWHERE: Final = {
    "agents": "agent list",
    "conversations": "conv list",
    "init": "new NAME",
    "log": "agent logs AGENT, or msg tail",
    "logs": "agent logs AGENT, or msg tail",
    "ls": "agent list",
    "messages": "msg list",
    "ps": "agent list",
    "send": "msg send --to AGENT --content JSON",
    "start": "up, or agent start AGENT",
    "stop": "down, or agent stop AGENT",
    "tail": "msg tail",
}
"""What others call it."""
_WORDS: Final = (
    ("Input should be a valid integer, unable to parse string as an integer", "it must be a whole number"),
    ("Input should be a valid number, unable to parse string as a number", "it must be a number"),
    ("Input should be", "it must be"),
)


def complain_of_usage(error: Any) -> int:
    """Say what is wrong; the exit code. typer's types for this are private, hence `Any`."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    context = getattr(error, "ctx", None)
    complain(_sentence(error.format_message()), _hint(error, context))
    return int(error.exit_code)


def _sentence(said: str) -> str:
    value = _VALUE.fullmatch(said)
    text = f"{value[1]}: {value[2]}" if value else said[:1].lower() + said[1:]
    for foreign, ours in _WORDS:
        text = text.replace(foreign, ours)
    return text.removesuffix(".")


def _hint(error: Any, context: Any) -> str:
    if context is None:
        return "see caxton COMMAND --help"
    help_ = f"see {context.command_path} --help"
    unknown, extra = _UNKNOWN.match(str(error.message)), _EXTRA.match(str(error.message))
    if unknown is not None:
        known = context.command.commands
        if context.parent is None and unknown[1] in _ELSEWHERE:
            return f"that is: caxton {_ELSEWHERE[unknown[1]]}"
        return (
            f"commands are {', '.join(known)}"
            if len(known) <= FEW
            else f"{help_}, which lists all {len(known)}"
        )
    if extra is not None:
        options = {name for parameter in context.command.params for name in parameter.opts}
        if "--filter" in options:
            return f"a filter goes into --filter: {context.command_path} --filter {shlex.quote(extra[1])}"
        if {"--to", "--content"} <= options:
            return f"such as: {context.command_path} --to AGENT --content '\"a text\"'"
    return help_
