"""What holds for every test: how long an example takes says nothing on a loaded machine; daemons do not give way to the
tests; the Python runtime is built once for this machine, by the first test that needs it."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec

import pytest
from hypothesis import settings

from caxton.sandbox.python.build import PythonRuntime

settings.register_profile("caxton", deadline=None)
settings.load_profile("caxton")
os.environ["CAXTON_NICE"] = "0"
# a thousand processes read the compiled files; without them each would compile the whole source again
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def python_runtime() -> PythonRuntime:
    """The runtime that agents in Python share; it takes a minute to build, and is found again in the user's cache."""
    runtime = PythonRuntime()
    if not runtime.place.is_built() and find_spec("componentize_py") is None:
        pytest.skip("componentize-py is not installed, and this machine has no Python runtime")
    asyncio.run(runtime.build(print))
    return runtime
