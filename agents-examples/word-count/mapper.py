"""Maps: lines to pairs of a word and how often it is there."""

import re
from collections import Counter

from caxton_agent import reply


def handle(message):
    """`request` with lines."""
    if message["performative"] == "request":
        words = Counter(word for line in message["content"] for word in re.findall(r"\w+", line.lower()))
        reply("inform", sorted(words.items()))
