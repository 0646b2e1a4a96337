"""Tools as an effect: each server of the Model Context Protocol is an agent `tool.NAME` with a process of its own.

- `vocabulary`: what is asked and what is offered, as both sides say it
- `agent`: the agent on the bus
- `__main__`, `server`, `catalogue`, `transports`: the process; it alone imports the SDK
"""
