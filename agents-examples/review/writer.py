"""writer.py: drafts a text, asks critics for bids, and lets the one that finds most to mend rewrite it."""

from caxton_agent import Failed, Timeout, ask, gather, model, reply, send, settings


async def handle(message):
    """Draft a text about what is requested, and have it reviewed."""
    if message["performative"] != "request":
        return
    try:
        draft = (await model(f"Write two sentences about {message['content']}.", "fast", max_tokens=200))[
            "text"
        ]
        reply("inform", await reviewed(f"review-{message['id']}", draft))
    except Failed as failed:
        reply("failure", {"error": failed.code, "reason": failed.reason})


async def reviewed(talk, draft):
    """The draft as the heavier critic has mended it, and by whom."""
    net = {"protocol": "fipa-contract-net", "conversation_id": talk}
    asked = (ask(one, "cfp", {"draft": draft}, 150, **net) for one in settings["critics"])
    bids = [one for one in await gather(*asked, return_exceptions=True) if isinstance(one, dict)]
    if not bids:
        return {"text": draft, "by": None}
    best = max(bids, key=lambda one: one["content"]["weight"])
    for one in bids:
        if one is not best:
            send("reject-proposal", one["sender"], in_reply_to=one.get("reply_with"), **net)
    try:
        done = await ask(best["sender"], "accept-proposal", {"draft": draft}, 150, **net)
    except (Failed, Timeout):
        return {"text": draft, "by": None}
    return {"text": done["content"]["text"], "by": best["sender"].partition("@")[0]}
