"""Models as an effect: the agent `model`, budgets, and a process that speaks the providers' wires.

- `vocabulary`: what is asked, read and checked
- `budgets`: what may be spent, reserved and settled; `ledger`: what was, over restarts
- `agent`: the agent `model`
- `__main__`, `complete`, `wires`, `sse`: the process; it alone has the keys, and it alone imports httpx
"""
