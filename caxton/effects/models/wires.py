"""The two wires that providers speak, without the connection: what is sent, and what the events of an answer come to.

In: a `Complete`; events. Out: path, headers and body of a request; the joined answer. Both are pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from caxton.effects.models.sse import CutOff, Json
from caxton.effects.models.vocabulary import Complete, Part

ANSWER: Final = "answer"
"""The tool by which Anthropic's wire gives an answer that is to fit a schema."""
ANSWER_BYTES: Final = 4 << 20


@dataclass(slots=True)
class Joined:
    """An answer as far as it has come."""

    text: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    """What it wants to be done: `id`, `name`, and `arguments` as text, by number."""
    finish: str = ""
    model: str = ""
    input: int | None = None
    output: int | None = None
    cached: int = 0
    whole: bool = False
    """Whether the provider said that this is all."""

    @property
    def usage(self) -> dict[str, int] | None:
        """What it has cost, where the provider said so."""
        if self.input is None or self.output is None:
            return None
        return {"input": self.input, "output": self.output, "cached": self.cached}

    def add(self, text: str) -> None:
        """More of it. Raises CutOff where that is too much."""
        self.text += text
        self.check()

    def call(self, number: int, *, id: str = "", name: str = "", arguments: str = "") -> None:
        """More of what it wants to be done."""
        one = self.calls.setdefault(number, {"id": "", "name": "", "arguments": ""})
        for key, more in (("id", id), ("name", name), ("arguments", arguments)):
            one[key] += more
        self.check()

    def check(self) -> None:
        """Raise CutOff where it is longer than any message."""
        if len(self.text) + sum(len(one["arguments"]) for one in self.calls.values()) > ANSWER_BYTES:
            raise CutOff(f"the answer is longer than {ANSWER_BYTES:,} bytes")

    def tool_calls(self) -> list[Json]:
        """What it wants to be done. Raises CutOff where arguments are no JSON object."""
        found: list[Json] = []
        for _, one in sorted(self.calls.items()):
            try:
                arguments = msgspec.json.decode(one["arguments"] or "{}", type=dict[str, Any])
            except msgspec.MsgspecError as error:
                raise CutOff(f"the arguments of {one['name']} are no JSON object: {error}") from error
            found.append({"id": one["id"], "name": one["name"], "arguments": arguments})
        return found


class Wire(Protocol):
    """How one kind of provider is spoken to."""

    path: str

    def headers(self, key: str | None) -> dict[str, str]:
        """The headers of each request."""
        ...

    def body(self, model: str, asked: Complete) -> Json:
        """What is sent."""
        ...

    def hear(self, event: Json, joined: Joined) -> None:
        """Take in an event of the answer."""
        ...

    def whole(self, answer: Json, joined: Joined) -> None:
        """Take in an answer that came in one piece."""
        ...


class OpenAi:
    """`POST /chat/completions`, which every local server speaks too."""

    path = "/chat/completions"

    def headers(self, key: str | None) -> dict[str, str]:
        """A bearer token."""
        return {} if key is None else {"authorization": f"Bearer {key}"}

    def body(self, model: str, asked: Complete) -> Json:
        """What is sent."""
        body: Json = {
            "model": model,
            "messages": [_openai_message(part) for part in asked.messages],
            "max_tokens": asked.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if asked.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": one.name,
                        "description": one.description,
                        "parameters": one.parameters,
                    },
                }
                for one in asked.tools
            ]
        if asked.schema is not None:
            form = {"name": ANSWER, "schema": asked.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body | _chosen(asked, ("temperature", "seed"))

    def hear(self, event: Json, joined: Joined) -> None:
        """A chunk."""
        joined.model = event.get("model") or joined.model
        for choice in event.get("choices") or ():
            self._choice(choice, choice.get("delta") or {}, joined)
        usage = event.get("usage")
        if usage:
            joined.input, joined.output = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
            details: Json = usage.get("prompt_tokens_details") or {}
            joined.cached = details.get("cached_tokens") or 0

    def whole(self, answer: Json, joined: Joined) -> None:
        """An answer in one piece is one chunk."""
        for choice in answer.get("choices") or ():
            choice["delta"] = choice.get("message")
        self.hear(answer, joined)

    def _choice(self, choice: Json, delta: Json, joined: Joined) -> None:
        joined.add(delta.get("content") or "")
        for number, call in enumerate(delta.get("tool_calls") or ()):
            function = call.get("function") or {}
            joined.call(
                call.get("index", number),
                id=call.get("id") or "",
                name=function.get("name") or "",
                arguments=function.get("arguments") or "",
            )
        if choice.get("finish_reason"):
            joined.finish, joined.whole = choice["finish_reason"], True


class Anthropic:
    """`POST /messages`."""

    path = "/messages"

    def headers(self, key: str | None) -> dict[str, str]:
        """The key, and the version of the wire."""
        return {"anthropic-version": "2023-06-01", **({} if key is None else {"x-api-key": key})}

    def body(self, model: str, asked: Complete) -> Json:
        """What is sent."""
        system = "\n\n".join(part.content for part in asked.messages if part.role == "system")
        body: Json = {
            "model": model,
            "messages": _anthropic_messages(asked.messages),
            "max_tokens": asked.max_tokens,
            "stream": True,
        }
        tools = [
            {"name": one.name, "description": one.description, "input_schema": one.parameters}
            for one in asked.tools
        ]
        if asked.schema is not None:
            tools.append({"name": ANSWER, "description": "Give the answer.", "input_schema": asked.schema})
            body["tool_choice"] = {"type": "tool", "name": ANSWER}
        if system:
            body["system"] = system
        if tools:
            body["tools"] = tools
        return body | _chosen(asked, ("temperature",))

    def hear(self, event: Json, joined: Joined) -> None:
        """One of its events."""
        part: Json
        match event.get("type"):
            case "message_start":
                part = event["message"]
                joined.model = part.get("model") or ""
                self._usage(part.get("usage") or {}, joined)
            case "content_block_start":
                part = event["content_block"]
                if part.get("type") == "tool_use":
                    joined.call(event["index"], id=part.get("id", ""), name=part.get("name", ""))
                else:
                    joined.add(part.get("text") or "")
            case "content_block_delta":
                part = event["delta"]
                if part.get("type") == "input_json_delta":
                    joined.call(event["index"], arguments=part.get("partial_json") or "")
                else:
                    joined.add(part.get("text") or "")
            case "message_delta":
                part = event["delta"]
                joined.finish = part.get("stop_reason") or joined.finish
                self._usage(event.get("usage") or {}, joined)
            case "message_stop":
                joined.whole = True
            case "error":
                part = event["error"]
                raise CutOff(f"the provider broke off: {part.get('message', '')}"[:300])
            case _:
                pass

    def whole(self, answer: Json, joined: Joined) -> None:
        """An answer in one piece."""
        self.hear({"type": "message_start", "message": answer}, joined)
        for number, block in enumerate(answer.get("content") or ()):
            if block.get("type") == "tool_use":
                text = msgspec.json.encode(block.get("input") or {}).decode()
                joined.call(number, id=block.get("id", ""), name=block.get("name", ""), arguments=text)
            else:
                joined.add(block.get("text") or "")
        joined.finish, joined.whole = answer.get("stop_reason") or "", True

    def _usage(self, usage: Json, joined: Joined) -> None:
        if "input_tokens" in usage:
            cached = usage.get("cache_read_input_tokens") or 0
            written = usage.get("cache_creation_input_tokens") or 0
            joined.input, joined.cached = usage["input_tokens"] + cached + written, cached
        joined.output = usage.get("output_tokens", joined.output)


WIRES: Final[dict[str, Wire]] = {"openai": OpenAi(), "anthropic": Anthropic()}
FINISHES: Final = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "length": "length",
    "max_tokens": "length",
}


def _chosen(asked: Complete, names: Sequence[str]) -> Json:
    return {name: value for name in names if (value := getattr(asked, name)) is not None}


def _openai_message(part: Part) -> Json:
    message: Json = {"role": part.role, "content": part.content}
    if part.tool_calls:
        message["tool_calls"] = [
            {
                "id": one.id,
                "type": "function",
                "function": {
                    "name": one.name,
                    "arguments": msgspec.json.encode(one.arguments).decode(),
                },
            }
            for one in part.tool_calls
        ]
    if part.tool_call_id:
        message["tool_call_id"] = part.tool_call_id
    return message


def _anthropic_messages(parts: Sequence[Part]) -> list[Json]:
    """Roles take turns there, and what a tool said is the user's."""
    messages: list[Json] = []
    for part in parts:
        if part.role == "system":
            continue
        role = "assistant" if part.role == "assistant" else "user"
        blocks: list[Json] = []
        if part.role == "tool":
            blocks.append({"type": "tool_result", "tool_use_id": part.tool_call_id, "content": part.content})
        elif part.content:
            blocks.append({"type": "text", "text": part.content})
        blocks += [
            {"type": "tool_use", "id": one.id, "name": one.name, "input": one.arguments}
            for one in part.tool_calls
        ]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    return messages
