"""What cannot be used of a command line, said like every other error: one sentence, and what to do.

In: an exception of typer. Out: the sentence and the hint, and the exit code.
"""

from __future__ import annotations

import re
from typing import Any, Final

from caxton.cli.output.printing import complain

_VALUE: Final = re.compile(
    r"Invalid value for '?([^':]+)'?(?: / '[^']+')*: (?:Value error, )?(.*)", re.DOTALL
)
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
    if context is not None and "No such command" in str(error.message):
        return f"commands are {', '.join(context.command.commands)}"
    return f"see {'caxton COMMAND' if context is None else context.command_path} --help"
