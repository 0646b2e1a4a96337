"""How an agent's messages go over from one instance to another: a start, a swap, a probation, two revisions at once.

In: an agent, an instance of the new revision, and a policy that decides between the two where both live. Out: an agent
that is one of the two, with nothing lost.
"""
