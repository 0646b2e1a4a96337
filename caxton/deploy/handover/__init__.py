"""How an agent's messages go over from one instance to another: a start, a swap, a probation, two revisions at once.

In: an agent that runs, and an instance of the new revision. Out: an agent that is one of the two, with nothing lost.
"""
