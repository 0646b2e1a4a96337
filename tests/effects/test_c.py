"""An agent in C that asks models and tools by the builders of `world.h`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from testing.orders import EXAMPLES

from caxton.testing import runtime

SOURCE = """
#include "world.h"

static void caxton_answered(caxton_value context, caxton_value answer) {
    caxton_reply("inform"), caxton_content(""), caxton_json(caxton_get(answer, "content")), caxton_end();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), content = caxton_get(message, "content");
    if (caxton_is_answer(message)) return caxton_sent();
    if (caxton_is(content, "tool")) {
        caxton_ask_tool("tool.fs", "read", 5000);
        caxton_put("'path':"), caxton_string("a\\"b");
        caxton_tool_end();
    } else {
        caxton_ask_model("fast", 5000);
        caxton_model_says("system", "be \\"brief\\"");
        caxton_model_said("user", content);
        caxton_model_end(caxton_is(content, "short") ? "'max_tokens':7" : "");
    }
    caxton_end();
    return caxton_sent();
}
"""


@pytest.mark.system
@pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed")
def test_its_questions_are_what_models_and_tools_read(tmp_path: Path) -> None:
    (tmp_path / "agent.c").write_text(SOURCE)
    target = (
        "-target",
        "wasm32-freestanding",
        "-mcpu=mvp",
        "-Os",
        "-nostdlib",
        "-fno-builtin",
        "-Wl,--no-entry",
    )
    words = [sys.executable, "-m", "ziglang", "cc", *target, "-I", str(EXAMPLES / "include")]
    subprocess.run([*words, "-o", "agent.wasm", "agent.c"], cwd=tmp_path, check=True)
    asked: list[Any] = []

    def model(call: Any) -> Any:
        asked.append(call["request"])
        return {"inform": {"text": "hi", "tool_calls": [], "finish": "stop", "model": "x-1"}}

    models = {"fast": {"url": "http://127.0.0.1:9/v1", "model": "x-1", "max_tokens": 50}}
    config = {"models": models, "agents": {"c": {"wasm": "c.wasm", "models": ["fast"]}}}
    with runtime(
        {"c": (tmp_path / "agent.wasm").read_bytes()}, config=config, effects={"model": model}
    ) as system:
        assert system.ask("hello", to="c")["content"]["text"] == "hi"
        system.ask("short", to="c")
        assert system.ask("tool", to="c")["content"]["error"] == "unknown_agent"
        (called,) = system.messages(receiver="tool.fs@local")
    assert [one["max_tokens"] for one in asked] == [50, 7]
    assert asked[0]["messages"] == [
        {"role": "system", "content": 'be "brief"'},
        {"role": "user", "content": "hello"},
    ]
    assert called["content"] == {"tool": "read", "arguments": {"path": 'a"b'}}
