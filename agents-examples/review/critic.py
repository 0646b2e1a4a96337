"""critic.py: bids with how much it finds to mend in a draft, and mends it when it is awarded."""

from caxton_agent import Failed, model, reply, settings

BID = {
    "type": "object",
    "properties": {"weight": {"type": "integer", "minimum": 0, "maximum": 10}, "fault": {"type": "string"}},
    "required": ["weight", "fault"],
    "additionalProperties": False,
}


async def handle(message):
    """Bid for a draft, or mend it."""
    act = message["performative"]
    if act not in ("cfp", "accept-proposal"):
        return
    minds, draft = settings["minds"], message["content"]["draft"]
    try:
        if act == "cfp":
            prompt = f"You mind {minds}. How bad is this, from 0 to 10, and why?\n\n{draft}"
            bid = (await model(prompt, "fast", schema=BID, max_tokens=200))["content"]
            reply("propose", bid, reply_with=f"bid-{message['id']}")
        else:
            prompt = f"You mind {minds}. Rewrite this, and answer with nothing but the text:\n\n{draft}"
            reply("inform", {"text": (await model(prompt, "fast", max_tokens=200))["text"]})
    except Failed as failed:
        reply("refuse" if act == "cfp" else "failure", {"error": failed.code, "reason": failed.reason})
