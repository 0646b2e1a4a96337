"""Reduces: pairs of a word and a number to one sum for each word."""

from caxton_agent import reply


def handle(message):
    """`request` with pairs."""
    if message["performative"] == "request":
        sums: dict[str, int] = {}
        for word, count in message["content"]:
            sums[word] = sums.get(word, 0) + count
        reply("inform", sums)
