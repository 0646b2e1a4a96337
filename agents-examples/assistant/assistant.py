"""assistant.py: answers with the help of a model, and keeps notes for it."""

from caxton_agent import Failed, agent, reply, state

BRIEF = "You are an assistant. Keep what is to be remembered by `note`, find it by `look_up`. Answer briefly."


def note(topic: str, text: str):
    """Remember a text under a topic."""
    state.setdefault("notes", {})[topic] = text
    return "noted"


def look_up(topic: str):
    """What was remembered under a topic; without such a topic, which topics there are."""
    notes = state.get("notes", {})
    return notes[topic] if topic in notes else {"topics": sorted(notes)}


async def handle(message):
    """Let the model answer a request, with both tools."""
    if message["performative"] != "request":
        return
    talk = [{"role": "system", "content": BRIEF}, {"role": "user", "content": str(message["content"])}]
    try:
        reply("inform", await agent("fast", [note, look_up], talk, max_tokens=500))
    except Failed as failed:
        reply("failure", {"error": failed.code, "reason": failed.reason})
