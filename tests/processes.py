"""What tests share that takes a process to make: the Python runtime of this machine."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import pytest

from caxton.sandbox.python.build import PythonRuntime

pytestmark = pytest.mark.system


def built_python_runtime() -> PythonRuntime:
    """The runtime that agents in Python share, built where this machine has none."""
    runtime = PythonRuntime()
    if not runtime.place.is_built() and find_spec("componentize_py") is None:
        pytest.skip("componentize-py is not installed, and this machine has no Python runtime")
    asyncio.run(runtime.build(print))
    return runtime
