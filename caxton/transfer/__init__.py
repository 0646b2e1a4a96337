"""Taking an agent along: from one project to another, in one file.

In: an agent that runs here, or the bytes of one that ran elsewhere. Out: a bundle with its module, settings, memory,
timers and registrations; or the agent, at work here as it was there. Nothing is ever taken in by half, and what cannot
come along is named before anything is done (docs/decisions/0033-one-bundle-for-an-agent.md).
"""

from caxton.transfer.belongings import Registrations
from caxton.transfer.bundle import Bundle, Manifest, read_bundle, write_bundle
from caxton.transfer.transfer import Exported, Imported, Transfer

__all__ = [
    "Bundle",
    "Exported",
    "Imported",
    "Manifest",
    "Registrations",
    "Transfer",
    "read_bundle",
    "write_bundle",
]
