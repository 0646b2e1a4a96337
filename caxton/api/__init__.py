"""The way into the daemon: HTTP over the project's Unix socket, an event stream, and the client for both.

In: requests of CLI, viewers and scripts. Out: JSON in the shapes of `shapes`, errors as
`{"error": {"code", "message", "hint", "details"}}`. Nothing is acknowledged before it is committed.
Importing this package loads nothing else: a command line that only asks does not pay for a server.
"""
