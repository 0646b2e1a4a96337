"""The A2A gateway: agents that are marked `a2a = true` as agents of the Agent2Agent protocol.

- `tasks`: a conversation as a task; the whole mapping
- `requests`: what clients of A2A ask, by the daemon's API
- `card`: what an agent says of itself
- `__main__`: the process; the routes are the SDK's
"""
