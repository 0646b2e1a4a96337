"""Where the examples are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from caxton.errors import ConfigurationError

_INSIDE: Final = Path(__file__).parent / "examples"
_CHECKOUT: Final = Path(__file__).parent.parent / "agents-examples"


def folder(example: str) -> Path:
    """The folder of one example; raises ConfigurationError where it was not installed."""
    for root in (_CHECKOUT, _INSIDE):
        if (root / example).is_dir():
            return root / example
    raise ConfigurationError(f"the example {example!r} is not installed", hint="install Caxton again")


def module(example: str) -> bytes:
    """The wasm of a single-module example."""
    return (folder(example) / f"{example}.wasm").read_bytes()
