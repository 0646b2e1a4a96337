"""Caxton in a browser: pages of conversations and the terminal interface, behind a lock of their own.

In: requests of browsers. Out: pages that are made from what the daemon answers. It is a process of its own and a client
like all others: what a session may see and do is what its credential may, and the daemon's table of roles says that.
"""
