"""The crier: remembers what is said on the square."""

from caxton_agent import on, reply, state


@on("square")
def heard(message):
    """What buyers and stalls tell all."""
    state.setdefault("heard", []).append(message["content"])


def handle(message):
    """`query-ref`: the news of the day."""
    if message["performative"] == "query-ref":
        reply("inform", state.get("heard", []))
