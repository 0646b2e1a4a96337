"""A runtime in one process, on virtual time, in an order that a seed decides.

In: agents, a seed. Out: a whole system, the daemon's own runtime over a simulated machine (`system.runtime` opens one).
Disk, cells and power fail on command (decision 16). `caxton.testing` gives it to tests.
"""
