"""An effect's process that does its worst: its own calls fail or are answered late, and nothing else happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from caxton.effects import process
from caxton.effects.lines import Said
from caxton.effects.process import EffectProcess, Interrupted, NoAnswer
from caxton.effects.worker import Command

MOST = 10_000
KEY = 'sk-very-secret-"1"'


class HandWorker:
    """A process that the test plays: what it was told, what it says."""

    def __init__(self) -> None:
        self.pid = 7
        self.told: list[dict[str, object]] = []
        self.woken = asyncio.Event()
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._errors: asyncio.Queue[bytes] = asyncio.Queue()
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def say(self, line: bytes) -> None:
        self.told.append(json.loads(line))
        self.woken.set()

    def output(self, data: bytes) -> None:
        for at in range(0, len(data), 16_384):
            self._output.put_nowait(data[at : at + 16_384])

    def complain(self, data: bytes) -> None:
        self._errors.put_nowait(data)

    def answer(self, id: str) -> None:
        self.output(json.dumps({"id": id, "inform": id}).encode() + b"\n")

    async def read(self) -> bytes:
        return await self._output.get()

    async def read_errors(self) -> bytes:
        return await self._errors.get()

    async def ended(self) -> int:
        return await asyncio.shield(self._code)

    def leave(self) -> None:
        self.end(0)

    def kill(self) -> None:
        self.end(-9)

    def end(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)
            self._output.put_nowait(b"")
            self._errors.put_nowait(b"")

    async def has(self, many: int) -> None:
        while len(self.told) < many:
            self.woken.clear()
            await self.woken.wait()


class Stand:
    def __init__(self, at_once: int) -> None:
        self.workers: list[HandWorker] = []
        self.refuses = False
        command = Command("e", ("e",), Path("."), {"KEY": KEY})
        self.process = EffectProcess(command, self._start, at_once=at_once, most=MOST)

    async def _start(self, command: Command) -> HandWorker:
        if self.refuses:
            raise OSError("no such file")
        self.workers.append(HandWorker())
        return self.workers[-1]

    def ask(self, id: str) -> asyncio.Task[Said]:
        async def before() -> None: ...

        return asyncio.create_task(self.process.ask(id, lambda: json.dumps({"id": id}).encode(), before))

    @property
    def worker(self) -> HandWorker:
        return self.workers[-1]


@asynccontextmanager
async def stand(at_once: int = 1) -> AsyncGenerator[Stand]:
    made = Stand(at_once)
    owner = asyncio.create_task(made.process.run())
    while not made.workers:
        await asyncio.sleep(0)
    try:
        yield made
    finally:
        owner.cancel()
        await asyncio.gather(owner, return_exceptions=True)
        assert made.process.pid is None


async def turns() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


def informed(said: Said) -> bytes:
    assert isinstance(said.inform, msgspec.Raw)
    return bytes(said.inform)


HOSTILE: dict[str, bytes] = {
    "garbage": b"hello\n\x00\xff\xfe\n",
    "blank lines": b"\n" * 150 + b" \r\n",
    "no object": b'[]\n1\nnull\n"a"\ntrue\n',
    "wrong types": b'{"id": 5, "inform": 1}\n{"id": "a", "log": {}}\n',
    "unknown call": b'{"id": "other", "inform": 1}\n',
    "no id": b'{"inform": 1}\n',
    "deep": b'{"id": "x", "inform": ' + b"[" * 4_000 + b"]" * 4_000 + b"}\n",
    "half a line, then more": b'{"id": "a", "in\n',
    "a line that is too long": b'{"x": "' + b"y" * 200_000 + b'"}\n',
    "a line without end": b"z" * 200_000 + b"\n",
    "progress": b'{"id": "a", "progress": 0.5}\n' * 150,
    "log": b'{"log": "no-level", "message": "m"}\n' * 150,
    "numbers": b'{"id": "x", "inform": NaN}\n{"id": "x", "inform": 1e999999}\n',
    "surrogates": b'{"id": "\\ud800", "inform": "\\ud800"}\n',
    "two in a line": b'{"id": "x", "inform": 1} {"id": "x", "inform": 2}\n',
    "about": b'{"about": {"anything": [1, 2]}}\n',
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE.keys())
async def test_whatever_it_says_a_good_answer_is_taken_after_it(said: bytes) -> None:
    async with stand() as made:
        answer = made.ask("a")
        await made.worker.has(1)
        made.worker.output(said)
        made.worker.answer("a")
        async with asyncio.timeout(5):
            assert informed(await answer) == b'"a"'


async def test_an_answer_that_is_too_long_ends_its_call_at_once_and_is_not_kept() -> None:
    async with stand(at_once=2) as made:
        long, other = made.ask("long"), made.ask("other")
        await made.worker.has(2)
        made.worker.output(b'{"id": "long", "inform": "' + b"x" * 300_000 + b'"}\n')
        made.worker.answer("other")
        with pytest.raises(NoAnswer, match="more than 10,000 bytes") as caught:
            await long
        assert caught.value.code == "too-long"
        assert informed(await other) == b'"other"'


async def test_a_flood_is_read_no_faster_than_its_pace_and_the_loop_stays_free() -> None:
    async with stand() as made:
        made.worker.output(b'{"progress": 1}\n' * 100_000)
        loop, longest = asyncio.get_running_loop(), 0.0
        began = loop.time()
        while (now := loop.time()) - began < 0.3:
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - now)
        assert longest < 0.5
        assert made.worker._output.qsize() > 90, "most of it is not even read"


async def test_a_death_in_a_call_interrupts_it_and_the_next_one_has_a_new_process() -> None:
    async with stand() as made:
        first, second = made.ask("a"), made.ask("b")
        await made.worker.has(1)
        made.worker.complain(b"out of memory\n")
        await turns()
        made.worker.end(3)
        with pytest.raises(Interrupted, match="ended with code 3: out of memory, during the call"):
            await first
        while len(made.workers) < 2:
            await asyncio.sleep(0)
        await made.worker.has(1)
        made.worker.answer("b")
        assert informed(await second) == b'"b"'


async def test_one_that_cannot_be_started_is_said_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "FIRST_S", 0.001)
    async with stand() as made:
        made.refuses = True
        made.worker.end(1)
        while made.process.pid:
            await asyncio.sleep(0)
        with pytest.raises(NoAnswer, match="cannot be started: no such file") as caught:
            await made.ask("a")
        assert caught.value.code == "unavailable"


async def test_a_call_that_nobody_waits_for_keeps_its_place_until_it_is_answered() -> None:
    late: list[Said | None] = []
    async with stand() as made:
        made.process.listen_late(late.append)
        first, second = made.ask("a"), made.ask("b")
        await made.worker.has(1)
        first.cancel()
        await made.worker.has(2)
        assert made.worker.told[1] == {"cancel": "a"}
        made.worker.answer("a")
        await made.worker.has(3)
        assert [informed(said) for said in late if said] == [b'"a"']
        made.worker.answer("b")
        assert informed(await second) == b'"b"'


async def test_what_is_in_its_environment_is_in_nothing_that_it_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stand() as made:
        answer = made.ask("a")
        await made.worker.has(1)
        made.worker.complain(f"the key is {KEY}\n".encode())
        made.worker.output(f"garbage {KEY}\n".encode())
        made.worker.output(json.dumps({"log": "error", "message": KEY}).encode() + b"\n")
        made.worker.output(json.dumps({"id": "a", "inform": {"key": KEY}}).encode() + b"\n")
        assert informed(await answer) == b'{"key": "***"}'
        await turns()
    assert "sk-very" not in capsys.readouterr().out
