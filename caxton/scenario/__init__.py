"""Scripted headless runs: agents, what is done to them step by step, and what must come of it, in a TOML file.

In: a scenario file. Out: the same conversations each time, on virtual time and in an order that a seed decides, with a
verdict; where an expectation fails, what was said instead, with the place marked. A scenario is played on a `Host`: a
runtime in this process, or a daemon that runs.
"""
