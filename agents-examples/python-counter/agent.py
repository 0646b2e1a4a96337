"""Counts what it is asked to count, and can wait: a Python agent with state, an error and a timer."""

# these names are there without the import, too; with it, editors and linters know them
from caxton_agent import log, reply, send, state


def handle(message):
    """Answer a request by its `do`: count, total, later. Anything else is not understood."""
    if message["sender"].startswith("timer@"):
        return remind(message)
    if message["performative"] != "request":
        return None
    wish = message.get("content") or {}
    match wish.get("do"):
        case "count":
            name = wish["name"]
            counts = state.setdefault("counts", {})
            counts[name] = counts.get(name, 0) + 1
            reply("inform", {"name": name, "count": counts[name]})
        case "total":
            reply("inform", {"total": sum(state.get("counts", {}).values())})
        case "later":
            here = message["conversation_id"]
            state.setdefault("waiting", {})[here] = message["sender"]
            # the timer's answer comes in a conversation with the timer; the tag says what it is about
            send("request", "timer", {"after_ms": wish.get("after_ms", 100), "tag": here})
        case other:
            log(f"no idea what {other!r} is", level="warning")
            reply("not-understood", {"do": other, "known": ["count", "total", "later"]})
    return None


def remind(message):
    """The timer rang: tell whoever waits in the conversation of the tag."""
    waiting = state.get("waiting", {})
    conversation = message["content"]["tag"]
    if conversation in waiting:
        send("inform", waiting.pop(conversation), {"rang": True}, conversation_id=conversation)
