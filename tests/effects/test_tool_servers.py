"""Real servers of tools behind a daemon: asked by a guest, hostile ones beside a good one, gone with the daemon."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flow.project import Project
