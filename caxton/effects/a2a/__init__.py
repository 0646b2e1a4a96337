"""Agents of other systems as an effect: each remote agent of A2A is an agent `a2a.NAME` with a process of its own.

- `vocabulary`: what is asked and what is offered, as both sides say it
- `agent`: the agent on the bus
- `__main__`, `remote`: the process; it alone imports the SDK
"""
