"""A project's configuration: `caxton.toml`, the environment, and the defaults, as one frozen value.

- `effect_tables`: the part of the file that is about the world outside
- `agent_names`: which names agents may have
- `limit_table`: limits as people write them
- `listen_table`: whether and how the daemon listens on TCP
- `tables`: what the file may say, a model for each table
- `project`: the folder that has it, read and checked
"""

from __future__ import annotations

from caxton.config.agent_names import AGENT_NAME, alike, check_agent_name
from caxton.config.approval_table import ApprovalTable
from caxton.config.effect_tables import Allowance, EffectTable, HttpTable, ModelTable, RemoteTable, ToolTable
from caxton.config.limit_table import LimitTable, byte_size, limits_from
from caxton.config.listen_table import ListenTable
from caxton.config.project import FILE_NAME, IMPLIED, Project, find_folder, keys, load
from caxton.config.tables import AgentTable, BuildTable, CompileTable, Config, DeployTable
from caxton.daemon_socket import STATE_FOLDER

__all__ = [
    "AGENT_NAME",
    "FILE_NAME",
    "IMPLIED",
    "STATE_FOLDER",
    "AgentTable",
    "Allowance",
    "ApprovalTable",
    "BuildTable",
    "CompileTable",
    "Config",
    "DeployTable",
    "EffectTable",
    "HttpTable",
    "LimitTable",
    "ListenTable",
    "ModelTable",
    "Project",
    "RemoteTable",
    "ToolTable",
    "alike",
    "byte_size",
    "check_agent_name",
    "find_folder",
    "keys",
    "limits_from",
    "load",
]
