"""Cells and compile children, forked from one process that has loaded what they need.

In: the name of a program, its arguments, its descriptors. Out: a process of its own, some milliseconds later: loading
Python, wasmtime and our code takes a third of a second each time, and each would hold them in memory of its own.

- `client` is the daemon's side: it starts the server when it is first needed, and again if it died
- `server` is the other side; `python -m caxton.sandbox` loads the programs and serves them
"""
