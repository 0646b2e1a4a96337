"""A panel: it hears every sensor and shows the last reading of each."""

from caxton_agent import reply, send, state


def started(why):
    """One subscription for all sensors, also those that come later."""
    if why == "born":
        send(
            "subscribe",
            "topics",
            {"topic": "sensors/*"},
            protocol="fipa-subscribe",
            conversation_id="all sensors",
            reply_with="all sensors",
        )


def handle(message):
    """A publication is told by its receiver; anybody may ask for what is shown."""
    topic = message["receiver"][0].partition("@")[0]
    if topic.startswith("topic:"):
        shown = state.setdefault("shown", {})
        shown[topic.removeprefix("topic:")] = message["content"]["celsius"]
        state["heard"] = state.get("heard", 0) + 1
    elif message["performative"] == "request":
        reply("inform", {"shown": state.get("shown", {}), "heard": state.get("heard", 0)})
