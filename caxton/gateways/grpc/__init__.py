"""The gRPC interface: a process with listeners of its own that asks the daemon's API for each call.

In: calls of `caxton.v1`, with a token where they come by TCP. Out: what the route answers that does the same, as
messages; its refusals as gRPC's. The process knows no rules: it passes the caller's credential and address on, and the
daemon's guard judges them as if they had come by TCP (decision 57).
"""
