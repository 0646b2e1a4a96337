"""An agent for the tests of the A2A gateway: what it is asked says how it answers."""

from typing import Any

from caxton_agent import reply, send, state


def handle(message: dict[str, Any]) -> None:
    act, content = message["performative"], message.get("content")
    if act in ("request", "subscribe"):
        asked(message, content)
    elif act == "cancel":
        if state.pop("stubborn", False):
            reply("failure", "it is too late")
        else:
            reply("inform", "stopped")
    elif act in ("inform", "accept-proposal", "reject-proposal") and "waits" in state:
        task = state.pop("waits")
        fields = {"conversation_id": task["conversation_id"], "protocol": "fipa-request"}
        result = {"act": act, "said": content}
        send("inform", task["sender"], result, in_reply_to=task.get("reply_with"), **fields)


def asked(message: dict[str, Any], content: Any) -> None:
    word = content.get("word") if isinstance(content, dict) else content
    me = message["sender"]
    match word:
        case "refuse":
            reply("refuse", "not today")
        case "what":
            reply("not-understood", "say it otherwise")
        case "agree what":
            reply("agree")
            reply("not-understood", "I did not get the rest")
        case "fail":
            reply("failure", {"error": "broken", "reason": "the press jams"})
        case "agree":
            reply("agree", "as soon as I can")
        case "stubborn":
            state["stubborn"] = True
            reply("agree")
        case "trap":
            raise ValueError("never mind")
        case "silent":
            pass
        case "news":
            reply("agree")
            reply("inform", "first")
            reply("inform", {"n": 2})
        case "wrong":
            reply("agree")
            reply("agree")
        case "ask" | "propose" | "sign in" | "do":
            state["waits"] = {key: message[key] for key in ("sender", "conversation_id", "reply_with")}
            if word == "propose":
                send("propose", me, {"price": 12}, protocol="fipa-propose", reply_with="p")
            elif word == "ask":
                send("query-ref", me, "which colour?", protocol="fipa-query", reply_with="q")
            else:
                more = {"x_auth": "bearer"} if word == "sign in" else {}
                send("request", me, "go there first", protocol="fipa-request", reply_with="r", **more)
        case _:
            reply("inform", {"echo": content})
