"""The runtime in one process: what a seed promises, and what breaks on command."""
