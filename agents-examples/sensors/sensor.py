"""A thermometer: it measures 50 times a second and publishes what it reads."""

from caxton_agent import reply, send, settings, state


def started(why):
    """The beats go on by themselves after a restart: they are asked for once."""
    if why == "born":
        send("request", "timer", {"every_ms": 20, "tag": "measure"})


def handle(message):
    """A beat of the timer: publish. `heat`: change what is measured. `off`: no more beats."""
    content = message["content"]
    if message["sender"].startswith("timer@"):
        if "beat" in content:
            publish(content)
    elif content == "off":
        send("request", "timer", {"cancel": "measure"})
        reply("inform", "off")
    else:
        state["celsius"] = content["heat"]
        reply("inform", content)


def publish(beat):
    """One message, however many listen; a new listener gets the last one at once."""
    celsius = state.get("celsius", settings["celsius"])
    reading = {"celsius": celsius, "beat": beat["beat"], "missed": beat["missed"]}
    send("inform", "topic:" + settings["topic"], reading, x_retain=True)
