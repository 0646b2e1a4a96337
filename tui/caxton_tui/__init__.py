"""The terminal interface: a viewer of one daemon, attached over its API like every other client.

In: a project's folder. Out: six screens, conversations, agents, traces, changes, log and meters, until the operator
leaves. `model` and `actions` know nothing of Textual, `widgets` nothing of HTTP; imports go one way:
model, actions, widgets, forms, screens, app.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from textual.theme import BUILTIN_THEMES

from caxton.client import Remote
from caxton_tui.app import CaxtonApp
from caxton_tui.keys import key_name
from caxton_tui.settings import Settings, load_settings
from caxton_tui.shortcuts import bindings
from caxton_tui.terminal import surviving_hangup
from caxton_tui.themes import HIGH_CONTRAST

__all__ = ["CaxtonApp", "attach", "bindings", "rare_collections", "run", "themes", "user_settings"]


async def attach(
    folder: Path,
    *,
    daemon: Path | Remote | None = None,
    dev: AsyncIterator[str] | None = None,
    seconds: float | None = None,
    signals: bool = True,
    read_only: bool = False,
    settings: Settings | None = None,
) -> int:
    """Show the daemon of the project in `folder` until the operator leaves, or for `seconds`; the exit code.

    `daemon` is where it is, if not on the project's socket. `dev` gives the lines of a development loop in the same
    event loop; they get a strip of their own. A daemon that is not there is waited for. A signal to end (128 and its
    number is the exit code then) leaves the terminal as it was; `signals` is False where the caller sees to them, or is
    not the main thread. With `read_only` nothing is done to the daemon. Without `settings` the user's own are read,
    ConfigurationError where they are wrong.
    """
    settings = settings or user_settings()
    app = CaxtonApp(folder, daemon=daemon, dev=dev, seconds=seconds, read_only=read_only, settings=settings)
    with surviving_hangup(), rare_collections(), _ended_by_signals(app) if signals else nullcontext():
        await app.run_async()
    return app.return_code or 0


def run(folder: Path, *, daemon: Path | Remote | None = None, read_only: bool = False) -> int:
    """`attach` for callers without an event loop."""
    return asyncio.run(attach(folder, daemon=daemon, read_only=read_only))


def user_settings() -> Settings:
    """The user's own keys and theme; raises ConfigurationError where they are wrong."""
    return load_settings(bindings(), themes(), key_name)


def themes() -> set[str]:
    """The names of all themes that there are."""
    return {*BUILTIN_THEMES, HIGH_CONTRAST.name}


@contextmanager
def rare_collections() -> Generator[None]:
    """Look for garbage rarely, and never among the modules.

    The rows of the log live long and hold no cycles, but every full collection walks them and all of Textual: that
    stopped the screen for 90 to 700 ms every few seconds.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _ended_by_signals(app: CaxtonApp) -> Generator[None]:
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    for number in before:
        loop.add_signal_handler(number, app.leave, 128 + number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
