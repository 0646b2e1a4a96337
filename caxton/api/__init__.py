"""The way into the daemon: HTTP over the project's Unix socket, and an event stream.

In: requests of CLI, viewers and scripts. Out: JSON in the shapes of `caxton.schemas`, errors as
`{"error": {"code", "message", "hint", "details"}}`. Nothing is acknowledged before it is committed.
Importing this package loads nothing else: a command line that only asks does not pay for a server.
"""
