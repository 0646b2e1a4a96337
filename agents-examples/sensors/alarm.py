"""An alarm that does not chatter: it tells that it is warm once nothing has crossed the line for half a second."""

from caxton_agent import reply, send, settings, state


def started(why):
    """Subscriptions and timers outlive a restart: they are asked for once."""
    if why == "born":
        send("subscribe", "topics", {"topic": "sensors/*"}, protocol="fipa-subscribe", reply_with="alarm")


def handle(message):
    """Each crossing sets the timer anew (debounce), so it rings once, after the last."""
    topic = message["receiver"][0].partition("@")[0]
    if topic.startswith("topic:"):
        warm = state.setdefault("warm", {})
        is_warm = message["content"]["celsius"] > settings["above"]
        if is_warm != warm.get(topic, False):
            warm[topic] = is_warm
            send("request", "timer", {"after_ms": settings["quiet_ms"], "tag": topic, "replace": True})
    elif message["sender"].startswith("timer@"):
        topic = message["content"].get("tag")
        if topic is not None:
            state.setdefault("told", []).append([topic, state["warm"][topic]])
    elif message["performative"] == "request":
        reply("inform", state.get("told", []))
