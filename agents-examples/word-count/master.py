"""Counts words: lines to the mappers, pairs to the reducers, and the sums together."""

from caxton_agent import ask, gather, reply, settings


async def handle(message):
    """`request` with a text: how often each word is in it."""
    if message["performative"] != "request":
        return
    mappers, reducers = settings["mappers"], settings["reducers"]
    lines = message["content"].splitlines()
    # map: each mapper gets every third line, if there are three
    shares = [(mapper, lines[at :: len(mappers)]) for at, mapper in enumerate(mappers)]
    mapped = await gather(*(ask(who, "request", share, timeout=10) for who, share in shares))
    # shuffle: a word always goes to the same reducer
    piles: list[list[object]] = [[] for _ in reducers]
    for answer in mapped:
        for word, count in answer["content"]:
            piles[sum(word.encode()) % len(reducers)].append([word, count])
    reduced = await gather(
        *(ask(who, "request", pile, timeout=10) for who, pile in zip(reducers, piles, strict=True))
    )
    totals = {}
    for answer in reduced:
        totals.update(answer["content"])
    reply("inform", dict(sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))))
