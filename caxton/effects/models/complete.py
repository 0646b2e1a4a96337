"""One request to a model, over HTTP: rate limits waited out, chunks joined, answers held to a schema.

In: a call of the daemon. Out: the content of the answer, or Failed with a code, and with what it has cost where that is
known. What may have been done is never tried again; what the provider says it did not do (429, 503, 529, no connection)
is, within the call's time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from caxton.effects.json_schema import BadSchema, faults
from caxton.effects.models.sse import CutOff, events, read
from caxton.effects.models.vocabulary import SCHEMA_TRIES, Complete, Part
from caxton.effects.models.wires import ANSWER, ANSWER_BYTES, FINISHES, WIRES, Joined
from caxton.effects.own_process import Call, Failed, progress

BUSY: Final = frozenset({429, 503, 529})
FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
ERROR_BYTES: Final = 65_536
NOTHING: Final = {"input": 0, "output": 0, "cached": 0}
Json = dict[str, Any]


class Place(msgspec.Struct):
    """A model, as the process knows it."""

    url: str
    model: str
    wire: str
    key_env: str | None = None


class Models:
    """Asks them; `keys` is the environment."""

    def __init__(self, places: Mapping[str, Place], keys: Mapping[str, str], http: httpx.AsyncClient) -> None:
        self._places = places
        self._keys = keys
        self._http = http

    async def do(self, call: Call) -> object:
        """Answer a call."""
        asked = msgspec.convert(call.request, Complete)
        place = self._places[asked.model]
        if place.key_env is not None and place.key_env not in self._keys:
            reason = f"the environment variable {place.key_env} is not set; start the daemon with it"
            raise Failed("no-key", reason, usage=NOTHING)
        until = asyncio.get_running_loop().time() + call.timeout_ms / 1000
        if asked.schema is None:
            joined = await self._ask(call.id, place, asked, until)
            return _content(joined, joined.usage)
        return await self._fitting(call.id, place, asked, asked.schema, until)

    async def _fitting(self, id: str, place: Place, asked: Complete, schema: Json, until: float) -> object:
        """An answer that fits a schema, after a few tries at the most."""
        usage, wrong = dict(NOTHING), ""
        known = True
        for _ in range(SCHEMA_TRIES):
            joined = await self._ask(id, place, asked, until)
            known = known and joined.usage is not None
            for name, count in (joined.usage or NOTHING).items():
                usage[name] += count
            text, forced = _said(joined)
            try:
                value = msgspec.json.decode(text)
                found = faults(schema, value)
            except msgspec.MsgspecError as error:
                found = [f"it is no JSON: {error}"]
            except BadSchema as error:
                raise Failed("bad-schema", f"{error}", **_cost(usage, known)) from error
            else:
                if not found:
                    told: Json = {
                        **_content(joined, usage if known else None),
                        "content": value,
                        "text": text,
                    }
                    if forced:
                        told |= {"finish": "stop", "tool_calls": []}
                    return told
            wrong = "; ".join(found)
            again = [
                Part("assistant", text),
                Part("user", f"This does not fit the schema: {wrong}. Answer again, with JSON that fits it."),
            ]
            asked = msgspec.structs.replace(asked, messages=[*asked.messages, *again])
            progress(id, {"schema": wrong})
        reason = f"{SCHEMA_TRIES} answers did not fit the schema; the last one: {wrong}"
        raise Failed("wrong-answer", reason, **_cost(usage, known))

    async def _ask(self, id: str, place: Place, asked: Complete, until: float) -> Joined:
        """One answer; tried again while the provider is too busy and there is time."""
        tries = 0
        while True:
            response = None
            try:
                return await self._once(place, asked)
            except httpx.ConnectError as error:
                why, code = f"no connection to {place.url}: {error}", "unavailable"
            except _Busy as busy:
                response, why, code = (
                    busy,
                    f"the provider is busy: {busy.status} {busy.reason}",
                    "rate-limited",
                )
            except httpx.HTTPError as error:
                raise Failed("provider", f"{type(error).__name__}: {error}") from error
            except CutOff as error:
                raise Failed("provider", f"{error}") from error
            tries += 1
            whole_s = min(LONGEST_S, FIRST_S * (1 << min(tries - 1, 16))) * random.uniform(0.75, 1.25)
            wait_s = max(whole_s, response.after_s if response is not None else 0)
            left_s = until - asyncio.get_running_loop().time()
            if wait_s >= left_s:
                more: Json = {} if response is None else {"status": response.status}
                raise Failed(
                    code, why, usage=NOTHING, retry_after_ms=round(wait_s * 1000), tries=tries, **more
                )
            progress(id, {"waits_s": round(wait_s, 1), "because": why})
            await asyncio.sleep(wait_s)

    async def _once(self, place: Place, asked: Complete) -> Joined:
        wire, joined = WIRES[place.wire], Joined()
        key = self._keys.get(place.key_env) if place.key_env is not None else None
        request = self._http.build_request(
            "POST",
            place.url.rstrip("/") + wire.path,
            headers=wire.headers(key),
            json=wire.body(place.model, asked),
        )
        response = await self._http.send(request, stream=True)
        try:
            if response.status_code != 200:
                await _refused(response)
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                async for event in events(response.aiter_lines()):
                    wire.hear(event, joined)
            else:
                wire.whole(read(await _bounded(response, ANSWER_BYTES)), joined)
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            # a provider may say anything
            raise CutOff(f"the provider said what is not of its wire: {error}") from error
        finally:
            await response.aclose()
        if not joined.whole:
            raise CutOff("the provider's answer was cut off")
        return joined


class _Busy(Exception):
    def __init__(self, status: int, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.status, self.reason, self.after_s = status, reason, after_s


async def _refused(response: httpx.Response) -> None:
    """Raise what a status other than 200 means."""
    status = response.status_code
    body = await _bounded(response, ERROR_BYTES)
    reason = body.decode("utf-8", "replace")[:300]
    if status in BUSY:
        raise _Busy(status, reason, _after_s(response.headers.get("retry-after", "")))
    raise Failed("provider", f"the provider answered {status}: {reason}", status=status, usage=NOTHING)


def _after_s(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0


async def _bounded(response: httpx.Response, most: int) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > most:
            return body[:most]
    return body


def _said(joined: Joined) -> tuple[str, bool]:
    """The text that is to fit a schema, and whether the wire gave it as a tool's arguments."""
    for one in joined.calls.values():
        if one["name"] == ANSWER:
            return one["arguments"], True
    return joined.text, False


def _cost(usage: Mapping[str, int], known: bool) -> Json:
    return {"usage": dict(usage)} if known else {}


def _content(joined: Joined, usage: Mapping[str, int] | None) -> Json:
    return {
        "text": joined.text,
        "tool_calls": joined.tool_calls(),
        "finish": FINISHES.get(joined.finish, joined.finish),
        "model": joined.model,
        **({} if usage is None else {"usage": dict(usage)}),
    }
