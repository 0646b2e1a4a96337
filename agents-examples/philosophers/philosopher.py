"""A philosopher: thinks, takes two forks, eats, puts them back."""

from caxton_agent import Failed, Timeout, ask, reply, send, settings, sleep, state


def started(why):
    """Hungry for the first time, and from then on again and again."""
    if why == "born":
        send("request", "timer", {"every_ms": settings["think_ms"], "tag": "hungry"})


async def handle(message):
    """A beat of the timer: eat. Anybody may ask how often that was."""
    if message["performative"] == "query-ref":
        reply("inform", {"meals": state.get("meals", 0)})
    elif message["sender"].startswith("timer@") and not state.get("at table"):
        state["at table"] = True
        try:
            await eat(sorted(settings["forks"]))
        except (Failed, Timeout):
            state["gave up"] = state.get("gave up", 0) + 1
        finally:
            state["at table"] = False


async def eat(forks):
    """Everybody takes the fork of the lower number first: so there is always one who has both."""
    taken = []
    try:
        for fork in forks:
            await ask(fork, "request", "take", timeout=10)
            taken.append(fork)
        await sleep(settings["eat_ms"] / 1000)
        state["meals"] = state.get("meals", 0) + 1
    finally:
        for fork in taken:
            send("inform", fork, "back")
