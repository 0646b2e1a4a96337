"""The client that command line, TUI, scripts and tests share: HTTP over the project's Unix socket."""

from caxton.client.answers import StreamEvent
from caxton.client.async_client import AsyncClient
from caxton.client.blocking_client import Client
from caxton.client.remote import Remote

__all__ = ["AsyncClient", "Client", "Remote", "StreamEvent"]
