"""The Python runtime of agents: what runs inside the sandbox, on the CPython that componentize-py brings.

This file is no module of the daemon. It is baked into a component (`python_runtime.py`), together with the part of
the standard library that it imports here; an agent can import that part and nothing else. The agent's source comes as
data. It sees the names that `caxton_agent` has: `reply`, `ask`, `state` and so on. `caxton_turn.py` has what a turn
says, `caxton_calls.py` what waits between turns.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownArgumentType=false, reportUnusedImport=false
# mypy: disable-error-code="no-any-return,unused-ignore"
# ruff: noqa: F401, E401, I001, BLE001

import builtins
import gc
import io
import json
import linecache
import logging
import marshal
import random
import secrets
import sys
import time
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

import caxton_calls, caxton_library, caxton_models, caxton_numbers, caxton_past  # type: ignore[import-not-found]
import caxton_streams, caxton_topics, caxton_turn, caxton_waits  # type: ignore[import-not-found]
import wit_world  # type: ignore[import-not-found]
from caxton_library import Library, remember  # type: ignore[import-not-found]
from caxton_models import agent, model, tool  # type: ignore[import-not-found]
from caxton_streams import ERROR, OUT, Records  # type: ignore[import-not-found]
from caxton_topics import Topics, on  # type: ignore[import-not-found]
from caxton_past import KEY, Feed, again, packed, unpack  # type: ignore[import-not-found]
from caxton_waits import Calls, Cancelled, Failed, Timeout, ask, conversation, gather, sleep  # type: ignore[import-not-found]
from caxton_numbers import decode, encode, freeze, thaw  # type: ignore[import-not-found]
from caxton_turn import LEVELS, Turn, check, readable, record, say  # type: ignore[import-not-found]
from componentize_py_types import Err  # type: ignore[import-not-found]

# the standard library of agents: what is not imported while the runtime is built is not there later
import __future__
import abc, array, ast, base64, binascii, bisect, calendar, cmath, codecs, collections.abc, colorsys, configparser
import contextlib, contextvars, copy, copyreg, csv, dataclasses, datetime, decimal, difflib, dis, enum, fnmatch
import fractions, functools, graphlib, hashlib, heapq, hmac, html.parser, inspect, ipaddress, itertools, keyword
import math, numbers, opcode, operator, pprint, queue, re, reprlib, shlex, statistics, string, stringprep, struct
import textwrap, threading, token, tokenize, tomllib, typing, unicodedata, urllib.parse, uuid, warnings, weakref, zlib
import encodings.idna, encodings.latin_1, encodings.utf_16, encodings.ascii
import xml.etree.ElementTree

VERSION = 0x10001
LIFE_FLAG, PUT_BACK_FLAG, LIFE = 16, 32, "caxton-life"
PUT_BACK = '{"caxton":"put-back"}'
FRAMES = 20
OURS = {
    __file__,
    *(one.__file__ for one in (caxton_calls, caxton_library, caxton_models, caxton_numbers, caxton_past)),
    *(one.__file__ for one in (caxton_streams, caxton_topics, caxton_turn, caxton_waits)),
}


def reply(performative: str, content: object = None, **fields: object) -> None:
    """Answer the message in hand: to who asked, in its conversation, unless `fields` say otherwise."""
    say(performative, content, fields)


def send(performative: str, receiver: str | list[str], content: object = None, **fields: object) -> None:
    """Send a message of its own; `receiver` is a name or a list of names."""
    say(performative, content, {"receiver": receiver, **fields})


def put_back() -> None:
    """Put the message in hand back: it comes again after the agent's next turn that puts nothing back."""
    if Calls.now is not None and Calls.now.steps:
        raise RuntimeError(
            "put_back is for a message that begins something, not for one that a call waits for"
        )
    Turn.put()


def log(text: object, level: str = "info") -> None:
    """Write a line to the agent's log: debug, info, warning or error."""
    if level not in LEVELS:
        raise ValueError(f"there is no level {level!r}; use {', '.join(LEVELS)}")
    Turn.logs.append(record(level, str(text)))


UUID_BEGINS = {
    key: value for key, value in uuid.__dict__.items() if key == "_node" or key.startswith("_last_")
}


def _no_sleep(_: object) -> NoReturn:
    raise RuntimeError(
        "an agent does not sleep: await sleep(…) in an async handle, or ask timer and handle its inform"
    )


def _no_files(*_: object, **__: object) -> NoReturn:
    raise PermissionError("an agent has no files; keep what must last in state")


class Agent:
    """The agent that this instance runs."""

    module = types.ModuleType("agent")
    code: types.CodeType | None = None
    file = "agent.py"
    random = uuid = False
    """Whether its source speaks of them: then each turn begins as if nothing had been drawn before."""
    put_back = False
    """Whether it speaks of that: then it may."""

    @classmethod
    def speaks(cls, texts: tuple[str, ...]) -> None:
        """Its source is that."""
        cls.random, cls.uuid, cls.put_back = (
            any(word in text for text in texts) for word in ("random", "uuid", "put_back")
        )


API = types.ModuleType(
    "caxton_agent", "What an agent's source may use; the same names are there without an import."
)
STATE: dict[str, object] = {}
API.__dict__.update(
    reply=reply,
    send=send,
    put_back=put_back,
    log=log,
    ask=ask,
    sleep=sleep,
    gather=gather,
    conversation=conversation,
    model=model,
    tool=tool,
    agent=agent,
    on=on,
    Failed=Failed,
    Timeout=Timeout,
    Cancelled=Cancelled,
    state=STATE,
    settings={},
    name="",
)


def _load(file: str, source: str) -> None:
    Agent.file = file
    files: dict[str, str] = {}
    if source.startswith("\0"):
        # it has modules of its own with it
        whole = json.loads(source[1:])
        source, files = whole["source"], whole["files"]
    remember(file, source)
    Agent.code = compile(source, file, "exec", dont_inherit=True)
    Library.holds(files)
    Agent.speaks((source, *files.values()))


def _start(config: dict[str, Any]) -> None:
    API.__dict__.update(name=config["name"].partition("@")[0], settings=config["settings"] or {})
    space = Agent.module.__dict__
    space.update({key: value for key, value in API.__dict__.items() if not key.startswith("__")})
    space["__file__"] = Agent.file
    random.seed(0)
    assert Agent.code is not None
    exec(Agent.code, space)
    if not callable(space.get("handle")):
        raise TypeError("there is no function handle(message)")
    waits = [one for one in ("handle", "started") if inspect.iscoroutinefunction(space.get(one))]
    if waits and any(callable(space.get(one)) for one in ("snapshot", "restore")):
        raise TypeError(
            f"with an async {waits[0]} the platform keeps what calls need: no snapshot or restore of its own"
        )
    caxton_calls.begin(config["name"], space)


def _handle(text: str) -> list[str]:
    space = Agent.module.__dict__
    if Agent.random:
        random.seed(secrets.token_bytes(16))
    if Agent.uuid:
        # it remembers the last time and its own number, so that an answer would follow from more than the message
        uuid.__dict__.update(UUID_BEGINS)
    state = space["state"]
    try:
        before = freeze(state)
    except ValueError:
        before = None  # it holds what no state may hold; the snapshot will say so
    Turn.begin()
    try:
        if Feed.on:
            caxton_calls.tell(text)
            Turn.take_back()
            Turn.logged()
        else:
            caxton_calls.take(text)
    except BaseException:
        Turn.take_back()
        if before is not None and isinstance(state, dict):
            old = thaw(before)
            space["state"] = state
            state.clear()
            state.update(old)
        raise
    finally:
        Turn.end()
    return [PUT_BACK] if Turn.put_back else Turn.lines


def _meet(message: dict[str, Any]) -> object:
    """Call what the source has for such a message; one about the agent's own life is for `started` or `ending`."""
    space = Agent.module.__dict__
    if message.get("ontology") != LIFE or message["sender"].partition("@")[0] != "ams":
        handle = Topics.handler(message) if Topics.handlers else None
        return (handle or space["handle"])(message)
    content = message["content"]
    ends = content["what"] == "ending"
    if not ends:
        Topics.subscribe(content["what"])
    told = space.get("ending" if ends else "started")
    if not callable(told):
        return None
    why = content["reason" if ends else "what"]
    return told(why, message) if _takes_message(told) else told(why)


def _takes_message(told: Callable[..., Any]) -> bool:
    try:
        inspect.signature(told).bind("born", {})
    except TypeError:
        return False
    return True


def _asks() -> int:
    space = Agent.module.__dict__
    told = Topics.handlers or callable(space.get("started")) or callable(space.get("ending"))
    return (LIFE_FLAG if told else 0) | (PUT_BACK_FLAG if Agent.put_back else 0)


def _snapshot() -> str:
    space = Agent.module.__dict__
    state = space["snapshot"]() if callable(space.get("snapshot")) else space["state"]
    check(state, "state")
    if isinstance(state, dict) and KEY in state:
        raise TypeError(f"state has the key {KEY!r}, which is the platform's")
    return encode(packed(state) if Calls.open else state)


def _restore(text: str) -> None:
    space = Agent.module.__dict__
    saved = decode(text)
    if isinstance(saved, dict) and KEY in saved:
        unpack(saved)
        return
    if callable(space.get("restore")):
        space["restore"](saved)
        return
    state = space["state"]
    if not isinstance(saved, dict) or not isinstance(state, dict):
        raise TypeError(f"the state is a {type(saved).__name__}, it must be a dict")
    state.update(saved)


def _explain(error: BaseException) -> str:
    """The reason on one line; the traceback, from the agent's own code on, goes to the log."""
    own = {Agent.file, *Library.files}
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_code.co_filename not in own:
        begin = begin.tb_next
    place, frame = Agent.file, begin
    while frame is not None:
        if frame.tb_frame.f_code.co_filename in own:
            place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        frame = frame.tb_next
    if isinstance(error, SyntaxError) and error.filename in own:
        place = f"{error.filename}:{error.lineno}:{error.offset}"
    try:
        seen = traceback.TracebackException(type(error), error, begin, limit=-FRAMES)
        # the last frames are ours where reply, sleep or open refused something
        kept = [one for one in seen.stack if one.filename not in OURS]
        seen.stack = traceback.StackSummary.from_list(kept)
        text = "".join(seen.format()).rstrip()
        what = "".join(seen.format_exception_only()).strip().rpartition("\n")[2]
    except BaseException:  # no memory left, or an exception that cannot show itself
        text, what = "", type(error).__name__
    if "\n" in text:
        Turn.logs.append(record("error", text))
    return readable(f"{place}: {what}")


def _failure(error: BaseException) -> str:
    """The reason on one line, then what was printed and logged."""
    return "\n".join([_explain(error), *_logged()])


def _logged() -> list[str]:
    """The records of the turn, and none left for the next one."""
    OUT.end()
    ERROR.end()
    return Turn.logged()


def _ran(work: Callable[..., Any], *arguments: object) -> Any:
    """Do it; whatever goes wrong is the agent's, and is told as an error of the interface."""
    try:
        return work(*arguments)
    except BaseException as error:
        raise Err(_failure(error)) from None


class WitWorld(wit_world.WitWorld):  # type: ignore[misc]
    """The exports of the component (`agent.wit`)."""

    def load(self, name: str, source: str) -> None:
        """Take the source and compile it; nothing of it runs yet."""
        _ran(_load, name, source)

    def abi_version(self) -> int:
        """The version of the interface."""
        return VERSION

    def init(self, config: str) -> None:
        """Run the source, with the agent's name and settings in place."""
        _ran(_start, decode(config))

    def asks(self) -> int:
        """Whether the agent wants to be told of its own life."""
        asked: int = _ran(_asks)
        return asked

    def handle_message(self, message: str) -> list[str]:
        """Let the agent handle a message."""
        lines: list[str] = _ran(_handle, message)
        if Turn.logs or OUT.rest or ERROR.rest:
            return _logged() + lines
        return lines

    def snapshot(self) -> str:
        """The agent's state as JSON."""
        state: str = _ran(_snapshot)
        return state

    def restore(self, state: str) -> None:
        """Put an earlier state over what the source has begun with."""
        _ran(_restore, state)

    def again(self) -> str:
        """After `restore`: the next message to be handled once more, before the first new one; empty at the end."""
        message: str = _ran(again)
        return message

    def shut_down(self) -> None:
        """Nothing is left to be done."""


def _settle() -> None:
    """Once, while the runtime is built: no way out that ends in a trap, and a heap that is shared as it stands."""
    sys.stdout, sys.stderr, sys.stdin = OUT, ERROR, io.StringIO()
    sys.modules["caxton_agent"] = API
    for told in (Failed, Timeout, Cancelled):
        told.__module__ = API.__name__
    sys.modules["agent"] = Agent.module
    Calls.run_by(_meet, _explain)
    time.__dict__["sleep"] = _no_sleep
    for module in (builtins, io):
        module.__dict__["open"] = _no_files
    io.__dict__["open_code"] = builtins.__dict__["input"] = _no_files
    # what was imported above, and what comes with an agent, is all that there is: no search through folders that are
    # not there
    sys.meta_path.append(Library)
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    logging.basicConfig(handlers=[Records()], format="%(name)s: %(message)s", level=logging.INFO)
    # used once, so that their first use is not paid for by every instance
    try:
        compile("1 +", "agent.py", "exec")
    except SyntaxError as error:
        _failure(error)
    _logged()
    decode(encode({"a": [1, 2.5, None, True, "ä"]}))
    gc.collect()
    gc.freeze()


_settle()
