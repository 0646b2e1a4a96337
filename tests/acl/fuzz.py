"""Inputs without end for each codec: `just fuzz` gives each a million, `just fuzz 5000 xml` some to one, and
`just fuzz 5000 turns` so many ends of turns to the bus (`bus/fuzz.py`).

In: how many inputs, which codecs, `seed=N` to see the same ones again. Out: figures; exit code 1 and the input
itself where a codec raised anything but InvalidMessage, or took something in that does not read the same after it was
written. Inputs are written messages with some bytes changed, cut, doubled, or put in from other messages and from the
grammar.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from caxton.acl import Performative, read_draft
from caxton.acl.fipa_string import read_string, write_string
from caxton.acl.full_message import FullMessage, read_json, write_json
from caxton.acl.sl0 import Expression, Moment, Term, Word, read_sl0, write_sl0
from caxton.acl.xml import read_xml, write_xml
from caxton.errors import InvalidMessage

MILLION = 1_000_000
TURNS = "turns"
ACTS = [act.value for act in Performative]
WORDS = {
    "json": [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"1e999", b"NaN", b'"x_a":',
             b'"receiver":', b'{"name":"b","resolvers":[', b"null", b"\xff", b"9" * 60, b"-0.0", b'"content":'],
    "fipa-string": [b"(", b")", b'"', b"\\", b"#", b'#3"', b'#999"', b":", b":content ", b":X-a ", b"(json ", b"-",
                    b"1e9", b"(set ", b"(agent-identifier :name ", b":resolvers (sequence ",
                    b"20260131T120000000Z", b"\xff",
                    b"+00000000T000005000", b":reply-by ", b":language json ", b"(" * 40, b"\0"],
    "xml": [b"<", b">", b"/>", b"</", b"&", b"&#0;", b"&amp;", b"&x;", b"<!DOCTYPE a [", b"<!ENTITY x 'y'>", b"]>",
            b"<?p?>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b' type="json"', b' href="X-a"',
            b"<resolvers><agent-identifier>",
            b"<content>", b"</content>", b"\xff", b"\xfe\xff", b'<?xml version="1.0" encoding="utf-16"?>',
            b"xmlns:a='b'"],
    "sl0": [b"(", b")", b"((", b"))", b'"', b"\\", b"#", b'#3"', b'#999"', b":", b":name ", b":X-a ", b"-", b"1e9",
            b"1e999", b"(a " * 12, b"(a " * 31 + b"a" + b")" * 31, b"(a :x " * 33, b"(set ", b"(= ?x ", b"?", b"(iota ",
            b"(agent-identifier :name ", b"-0.0", b"\xff", b"\0", b"+00000000T000005000", b"20260131T120000000Z",
            b"9" * 60, b"(action a (b"],
}  # fmt: skip


class Codec(NamedTuple):
    """One form, both ways."""

    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    seed: Callable[[random.Random], bytes]
    """Something that it writes."""


def _read_both(line: bytes) -> FullMessage:
    try:
        read_draft(line)
    except InvalidMessage:
        pass
    return read_json(line)


def _read_sl0(text: bytes) -> tuple[Expression, ...]:
    # content is text by the time that it is read
    return read_sl0(text.decode("utf-8", "replace"))


def _message(dice: random.Random) -> FullMessage:
    return read_json(json.dumps(_fields(dice)).encode())


CODECS = {
    "json": Codec(_read_both, write_json, lambda dice: write_json(_message(dice))),
    "fipa-string": Codec(
        read_string,
        lambda message: write_string(message).encode(),
        lambda dice: write_string(_message(dice)).encode(),
    ),
    "xml": Codec(
        read_xml, lambda message: write_xml(message).encode(), lambda dice: write_xml(_message(dice)).encode()
    ),
    "sl0": Codec(
        _read_sl0,
        lambda content: write_sl0(content).encode(),
        lambda dice: write_sl0([_term(dice, 4)]).encode(),
    ),
}


def fuzz(name: str, inputs: int, seed: int) -> tuple[int, bytes | None, BaseException | None]:
    """Give a codec so many inputs: how many it took in, and the first that it should not have failed on, with why."""
    dice = random.Random(f"{name} {seed}")
    codec, words = CODECS[name], WORDS[name]
    seeds = [codec.seed(dice) for _ in range(200)]
    taken = 0
    for _ in range(inputs):
        text = changed(dice, dice.choice(seeds), seeds, words)
        try:
            message = codec.read(text)
        except InvalidMessage:
            continue
        except Exception as error:  # noqa: BLE001  # whatever it is, this is what is looked for
            return taken, text, error
        taken += 1
        written = codec.write(message)
        try:
            same = codec.read(written) == message
        except Exception as error:  # noqa: BLE001
            return taken, text, error
        if not same:
            return taken, text, AssertionError(f"it reads differently after it was written: {written!r}")
        if dice.random() < 0.1:
            seeds[dice.randrange(len(seeds))] = text[:2000]
    return taken, None, None


def changed(dice: random.Random, text: bytes, seeds: list[bytes], words: list[bytes]) -> bytes:
    """A text with some bytes changed, cut, doubled, or put in from the seeds and the words."""
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(text) + 1)
        to = min(len(text), at + dice.choice((0, 1, 1, 4, 20)))
        match dice.randrange(6):
            case 0:
                put = b""
            case 1:
                put = bytes([dice.randrange(256)])
            case 2:
                other = dice.choice(seeds)
                begin = dice.randrange(len(other))
                put = other[begin : begin + dice.randrange(40)]
            case 3:
                put = text[at:to] * 2
            case _:
                put = dice.choice(words)
        text = text[:at] + put + text[to:]
    return text if dice.random() < 0.95 else text[: dice.randrange(len(text) + 1)]


def _fields(dice: random.Random) -> dict[str, Any]:
    def text() -> str:
        return dice.choice(["a", "6f-1", "a b", 'q"\\', "é漢", "<&>", " x ", "", "\r\n", "\x01", "market-1"])

    def agent(depth: int = 2) -> Any:
        if depth == 0 or dice.random() < 0.6:
            return dice.choice(["bob", "ann@local", "1st@x"])
        return {
            "name": dice.choice(["6f-1", 'q"', "é@x", "<&>"]),
            "addresses": ["http://a:1/acc"],
            "resolvers": [agent(depth - 1)],
        }

    def value(depth: int = 3) -> Any:
        if depth == 0 or dice.random() < 0.5:
            return dice.choice([None, True, 0, -1.5, 10**30, text()])
        items = [value(depth - 1) for _ in range(dice.randrange(4))]
        return items if dice.random() < 0.5 else {text() + str(n): item for n, item in enumerate(items)}

    fields: dict[str, Any] = {"performative": dice.choice(ACTS), "receiver": [agent()]}
    for name, make in (
        ("sender", agent), ("reply_to", agent), ("content", value), ("conversation_id", text), ("reply_with", text),
        ("protocol", lambda: "fipa-request"), ("language", lambda: dice.choice(["json", "fipa-sl"])), ("x_a", value),
        ("reply_by", lambda: dice.choice(["5s", "1.5ms", "2026-01-31T12:00:00.1Z"])), ("x_agents", lambda: [agent()]),
        ("timestamp", lambda: 1), ("id", text),
    ):  # fmt: skip
        if dice.random() < 0.5:
            fields[name] = make()
    return fields


def _term(dice: random.Random, depth: int) -> Expression:
    """An expression such as the platform's agents are asked and answer with."""
    if depth == 0 or dice.random() < 0.3:
        words: list[Expression] = [Word("df@local"), Word("?x"), Moment("+00000000T000005000")]
        return dice.choice([*words, 1, -0.5, 10**30, "a b", 'q"\\', "é\n", ""])
    parts = [_term(dice, depth - 1) for _ in range(dice.randrange(4))]
    if dice.random() < 0.5:
        return Term(dice.choice(["action", "set", "=", "result"]), tuple(parts))
    names = dice.sample(["name", "services", "max-results", "X-a"], len(parts))
    return Term(dice.choice(["df-agent-description", "property"]), (), tuple(zip(names, parts, strict=True)))


def _turns(frames: int, seed: int) -> None:
    from bus.fuzz import fuzz_turns  # it takes its way of changing texts from here

    began = time.perf_counter()
    taken = fuzz_turns(frames, seed)
    took = time.perf_counter() - began
    sys.stdout.write(f"{TURNS}: {frames:,} frames, {taken:,} of them taken in, {took:.0f} s, seed {seed}\n")


def main(words: list[str]) -> int:
    """Run it; returns the exit code."""
    seeds = [int(word.removeprefix("seed=")) for word in words if word.startswith("seed=")]
    seed = seeds[0] if seeds else random.SystemRandom().randrange(1 << 32)
    inputs = next((int(word) for word in words if word.isdigit()), MILLION)
    chosen = [word for word in words if word in CODECS or word == TURNS]
    for name in chosen or CODECS:
        if name == TURNS:
            _turns(inputs, seed)
            continue
        began = time.perf_counter()
        taken, text, error = fuzz(name, inputs, seed)
        if error is not None:
            sys.stderr.write(f"{name}, seed {seed}: {type(error).__name__}: {error}\ninput: {text!r}\n")
            return 1
        took = time.perf_counter() - began
        sys.stdout.write(
            f"{name}: {inputs:,} inputs, {taken:,} of them messages, {took:.0f} s, seed {seed}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
