"""A server of MCP tools that does its worst, without any library: python hostile_server.py HOW"""

from __future__ import annotations

import json
import os
import sys

HOW = sys.argv[1]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer(asked: dict[str, object], **result: object) -> None:
    say(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **result}))


def called(asked: dict[str, object]) -> None:
    match HOW:
        case "a hundred megabytes":
            sys.stdout.write(f'{{"jsonrpc":"2.0","id":{asked["id"]},"result":"')
            for _ in range(1_600):
                sys.stdout.write("x" * 65_536)
            say('"}')
        case "a flood":
            while True:
                say(
                    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}'
                )
        case "dies":
            os._exit(3)
        case "complains without end":
            while True:
                sys.stderr.write("x" * 1_000 + "\n")
        case _:
            pass


for line in sys.stdin:
    told = json.loads(line)
    match told.get("method"):
        case "server/discover":
            answer(told, error={"code": -32601, "message": "what?"})
        case "initialize" if HOW != "says nothing":
            about = {"name": HOW, "version": "1"}
            answer(
                told,
                result={"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about},
            )
        case "tools/list":
            text = {"type": "string", "pattern": "^(a|aa|a?)+$"} if HOW == "a pattern" else {}
            schema = {"type": "object", "properties": {"s": text}}
            answer(told, result={"tools": [{"name": "t", "inputSchema": schema}]})
        case "tools/call":
            called(told)
        case _:
            pass
