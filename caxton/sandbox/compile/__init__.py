"""Compiling: the child that compiles one module, the daemon's side of it, and the cache of compiled modules."""
