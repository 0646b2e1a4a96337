"""A fork: one has it, the others wait in the order in which they came."""

from caxton_agent import reply, send, state


def handle(message):
    """`request`: to have it, answered when it is free. `inform`: it is back. `query-ref`: who has it."""
    waiting = state.setdefault("waiting", [])
    if message["performative"] == "request":
        waiting.append({"who": message["sender"], "question": question(message)})
        if len(waiting) == 1:
            reply("inform", "yours")
    elif message["performative"] == "inform" and waiting and waiting[0]["who"] == message["sender"]:
        waiting.pop(0)
        if waiting:
            send("inform", waiting[0]["who"], "yours", **waiting[0]["question"])
    elif message["performative"] == "query-ref":
        reply("inform", {"who": waiting[0]["who"] if waiting else None})


def question(message):
    """What an answer needs that is given later: its conversation, and what it answers."""
    return {
        "conversation_id": message["conversation_id"],
        "in_reply_to": message.get("reply_with", message["id"]),
    }
