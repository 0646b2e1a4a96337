"""The bully algorithm: of all that are alive, the one with the highest number leads."""

from caxton_agent import ask, gather, on, reply, send, settings, sleep, state

BEAT_MS, PATIENCE_MS = 200, 700


def started(why):
    """Wait for a leader's voice; so do those that were away."""
    state.update(leader=None, electing=False)
    patience()
    if why == "born":
        send("request", "timer", {"every_ms": BEAT_MS, "tag": "beat"})


@on("leader")
def heard(message):
    """The leader lives. A lower one that leads is overruled."""
    number = message["content"]
    if number >= settings["number"]:
        state["leader"] = number
        patience()


async def handle(message):
    """`query-ref`: who leads. `query-if`: whether this one lives. `timer`: it is time to speak, or nobody has."""
    if message["sender"].startswith("timer@"):
        tag = message["content"].get("tag")
        if tag == "silence":
            await elect()
        elif tag == "beat" and state["leader"] == settings["number"]:
            send("inform", "topic:leader", settings["number"])
    elif message["performative"] == "query-if":
        reply("inform", True)
    elif message["performative"] == "query-ref":
        reply("inform", {"leader": state["leader"]})


async def elect():
    """Ask all that are above; where nobody answers, lead."""
    if state["electing"]:
        return
    state.update(electing=True, leader=None)
    above = [name for name, number in settings["nodes"].items() if number > settings["number"]]
    answers = await gather(*(ask(name, "query-if", timeout=0.2) for name in above), return_exceptions=True)
    if all(isinstance(answer, Exception) for answer in answers):
        state["leader"] = settings["number"]
        send("inform", "topic:leader", settings["number"])
    else:
        await sleep(0.1)
    state["electing"] = False
    patience()


def patience():
    """Let the timer ring when no leader has been heard for so long; each word of the leader sets it anew."""
    send("request", "timer", {"after_ms": PATIENCE_MS, "tag": "silence", "replace": True})
