"""Other protocols at the daemon's own listeners: a process for each, started for its first request.

In: requests that the guard has let through. Out: what the process answers, byte for byte. It speaks the protocol with
a library that the daemon never loads, and asks the API in the name of who came (decision 54).
"""
