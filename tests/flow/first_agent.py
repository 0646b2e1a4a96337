"""From a clone to an own agent's answer, by the clock: `just first-agent` types docs/first-agent.md.

In: this checkout; pip's cache as it is, and a home without anything else. Out: seconds of each step, and of all to the
first answer; exit code 1 where that took more than three minutes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from flow.running import ROOT
from flow.typed_page import Terminals, steps

MOST_S = 180.0


def main() -> int:
    """Measure it, and say it; the exit code."""
    with tempfile.TemporaryDirectory(prefix="first-agent-") as place:
        home, clone = Path(place, "home"), Path(place, "caxton")
        home.mkdir()
        asked = subprocess.run(
            [Path(sys.base_prefix, "bin", "python3"), "-m", "pip", "cache", "dir"],
            capture_output=True,
            text=True,
            check=True,
        )
        began = time.monotonic()
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        _say("git clone", began)
        surroundings = {"HOME": str(home), "PIP_CACHE_DIR": asked.stdout.strip(), "PYTHONPATH": ""}
        os.environ.pop("XDG_CACHE_HOME", None)
        outside = {**os.environ, **surroundings}
        with closing(Terminals(clone, clone / ".venv" / "bin", **surroundings)) as terminals:
            for step in steps(ROOT / "docs" / "first-agent.md"):
                since = time.monotonic()
                seen: list[str] = []
                if step.words == ["setup"]:
                    subprocess.run(["bash", "-ec", step.text], cwd=clone, env=outside, check=True)
                elif step.text.startswith("caxton dev"):
                    terminals.follow(step)
                    terminals.wait_for("watching for saves")
                elif step.kind == "text" and not terminals.said:
                    continue
                else:
                    seen = terminals.follow(step)
                _say(" ".join(step.text.splitlines()[0].split()[:9]) if step.text else step.kind, since)
                if any('"hello":"Ann"' in line for line in seen):
                    break
            took_s = time.monotonic() - began
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        sys.stdout.write(
            f"{took_s:7.1f} s  from the clone to the answer, load {os.getloadavg()[0]:.0f}; "
            f"{spent.ru_utime + spent.ru_stime:.0f} s of processor time\n"
        )
    return 0 if took_s <= MOST_S else 1


def _say(what: str, since: float) -> None:
    sys.stdout.write(f"{time.monotonic() - since:7.1f} s  {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
