"""A buyer: comes with a list and a purse, looks in the directory who sells what it wants, buys, and goes."""

from caxton_agent import Failed, Timeout, ask, gather, name, send, settings, sleep, state


def started(why):
    """Look around now, and again every 200 ms: stalls come and go."""
    if why == "born":
        state.update(wants=list(settings["wants"]), purse=settings["purse"], busy=False)
        send("request", "timer", {"every_ms": 200, "tag": "look"})


async def handle(message):
    """A beat of the timer: buy the next thing on the list."""
    if not message["sender"].startswith("timer@") or state["busy"]:
        return
    if not state["wants"] or message["content"].get("beat", 0) > settings["patience"]:
        send("inform", "topic:square", f"{name} goes with {state['purse']} left, without {state['wants']}")
        send("request", "ams", {"action": "destroy"})
        return
    state["busy"] = True
    try:
        await buy(state["wants"][0])
    except (Failed, Timeout):
        await sleep(0.1)
    finally:
        state["busy"] = False


async def buy(item):
    """Ask all that sell it, take the cheapest, and tell the others no."""
    wanted = {"action": "search", "description": {"services": [{"type": item}]}}
    stalls = (await ask("df", "request", wanted, timeout=1))["content"]["result"]
    # each in a conversation of its own: a stall that has just gone does not end the others'
    asked = [ask(stall["name"], "cfp", item, timeout=0.5, protocol="fipa-contract-net") for stall in stalls]
    answers = await gather(*asked, return_exceptions=True)
    offers = sorted((one for one in answers if isinstance(one, dict)), key=lambda offer: offer["content"])
    for at, offer in enumerate(offers):
        if at or offer["content"] > state["purse"]:
            send("reject-proposal", offer["sender"], **talk(offer))
    if offers and offers[0]["content"] <= state["purse"]:
        best = offers[0]
        sold = await ask(best["sender"], "accept-proposal", item, timeout=0.5, **talk(best))
        state["purse"] -= sold["content"]["price"]
        state["wants"].remove(item)
        send("inform", "topic:square", f"{name} bought {item} for {sold['content']['price']}")


def talk(offer):
    """What goes on in the conversation of an offer says so."""
    same = {key: offer[key] for key in ("protocol", "conversation_id")}
    return {**same, "in_reply_to": offer["reply_with"]}
