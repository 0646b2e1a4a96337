"""A text in the person's own editor, `$VISUAL` or `$EDITOR`.

In: the text as it is. Out: the text as it was saved. ConfigurationError where the editor cannot be run or failed.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from caxton.errors import ConfigurationError


def edited(text: str, suffix: str) -> str:
    """Let the person change a text; returns when the editor has ended."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="caxton-") as folder:
        path = Path(folder) / f"message{suffix}"
        path.write_text(text, "utf-8")
        try:
            code = subprocess.run([*shlex.split(command), str(path)], check=False).returncode
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the editor {command!r} cannot be run: {error}", hint="set EDITOR, for example EDITOR=nano"
            ) from error
        if code != 0:
            raise ConfigurationError(f"the editor {command!r} ended with {code}: nothing was changed")
        return path.read_text("utf-8-sig")
