"""HTTP as an effect: an agent `http.NAME` for a few named hosts, and a process that reaches nothing else.

- `vocabulary`: what is asked, read and checked against the allow-list
- `agent`: the agent on the bus
- `__main__`, `fetch`, `addresses`: the process; it alone imports httpcore
"""
