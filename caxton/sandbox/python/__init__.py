"""Python agents: packed source, and the component that runs it on CPython."""
