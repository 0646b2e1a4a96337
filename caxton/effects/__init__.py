"""The world, as agents on the bus: whatever an agent asks of it is a message, journalled before it happens.

In: what caxton.toml says of the world, and requests. Out: platform agents, each with a process of its own; their
answers. The daemon itself opens no connection to anywhere and loads no library for that: the processes do.

- `effects`: all of them, as a runtime has them
- `agent`: the agent that stands for one on the bus; `rights`: who may ask it; `calls`: at most once, by rows
- `process`: its process, what waits for that, and how it is kept up; `lines`: what is said to it and by it
- `worker`: a process of this machine, as a port
"""
