"""One list for each thing there are many of: conversations, agents, deployments, what is held, letters, links, the log.

In: the store. Out: a table of it, and which row the cursor stands on.
"""
