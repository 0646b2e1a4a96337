"""Pages for people in HTML: one file that needs no other, in light and dark, with a policy of its own.

In: a title and a body whose texts went through `escaped`. Out: a document that runs nothing but the script that it is
given. The policy lets in the one style by its hash, so that no other can be slipped in.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from caxton.presentation.text import safe

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: #1a7f37; } .other { color: #cf222e; font-weight: 600; } .quiet { opacity: .7; }
@media (prefers-color-scheme: dark) { .passed { color: #3fb950; } .other { color: #ff7b72; } }
code, pre, summary { font: 13px/1.35 ui-monospace, "DejaVu Sans Mono", monospace; }
code, summary, td, h1 { overflow-wrap: anywhere; }
pre { overflow-x: auto; border: 1px solid #8884; border-radius: 6px; padding: .8rem; }
h1 { font-size: 1.4rem; } h2 { margin-top: 2.5rem; font-size: 1.1rem; }
.drawing { overflow-x: auto; background: #fff; border: 1px solid #8884; border-radius: 6px; }
summary { padding: .25rem 0; cursor: pointer; } :target > summary { background: #ddaa0033; }
input, button { font: inherit; padding: .3rem .6rem; } input { width: min(40rem, 90%); }
"""
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'"
"""The Content-Security-Policy of such a document: nothing but its own style."""


def document(title: str, body: str, *, script: str | None = None, refresh: str | None = None) -> str:
    """The whole of it. `script`: the path of one that the page loads; its policy is its server's then. `refresh`: where
    the reader goes at once."""
    head = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ]
    if script is None:
        head.append(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">')
    else:
        head.append(f'<script src="{escape(script)}" defer></script>')
    if refresh is not None:
        head.append(f'<meta http-equiv="refresh" content="0; url={escape(refresh)}">')
    head.append(f"<title>{escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>")
    return "\n".join([*head, body, "</body>\n</html>\n"])


def escaped(value: object) -> str:
    """A text that is read neither as markup nor as control characters or directions of writing."""
    return escape(safe(value))
