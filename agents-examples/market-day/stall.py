"""A stall: opens by itself, sells what it has to whoever bids, and goes home when nothing is left."""

from caxton_agent import name, reply, send, settings, state


def started(why):
    """Open: tell the directory what is sold here. The entry outlives a restart."""
    if why == "born":
        state["stock"] = settings["stock"]
        register({"type": settings["sells"]})


def handle(message):
    """FIPA's contract net, the seller's side; `query-ref`: what is left."""
    if message["performative"] == "query-ref":
        reply("inform", {"left": state["stock"]})
    elif message["performative"] == "cfp":
        if state["stock"]:
            reply("propose", settings["price"], reply_with=f"offer-{message['id']}")
        else:
            reply("refuse", "sold out")
    elif message["performative"] == "accept-proposal":
        sell()


def sell():
    """Of two buyers who accept the last one, the second comes too late."""
    if not state["stock"]:
        reply("failure", "sold out")
        return
    state["stock"] -= 1
    reply("inform", {"item": settings["sells"], "price": settings["price"]})
    if not state["stock"]:
        send("inform", "topic:square", f"{name} is sold out and goes")
        send("request", "ams", {"action": "destroy"})


def register(service):
    """The df takes the entry out by itself when the stall goes."""
    description = {"name": name, "services": [service]}
    send("request", "df", {"action": "register", "description": description})
