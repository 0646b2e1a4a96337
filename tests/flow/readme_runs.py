"""The README's first command, typed again and again on a busy machine: `just readme-runs [RUNS] [LOAD]`.

In: this checkout, cloned for each run. Out: for each run whether the market traded, and how long it took; exit code 1
where one did not. The load is made by processes of its own, which end with it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flow.running import ROOT

PATIENCE_S = 900.0


def main(runs: str = "10", load: str = "8") -> int:
    """Run it, and say how it went; the exit code."""
    page = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"^```sh\n(.+)\n```$", page, re.MULTILINE)
    assert found is not None
    line = found[1]
    asked = [str(Path(sys.base_prefix, "bin", "python3")), "-m", "pip", "cache", "dir"]
    cache = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(int(load))]
    good = 0
    try:
        for number in range(1, int(runs) + 1):
            began = time.monotonic()
            code, said = _run(line, cache)
            good += code == 0
            sys.stdout.write(
                f"run {number}: {'ok' if code == 0 else f'exit code {code}'}, {time.monotonic() - began:.0f} s, "
                f"load {os.getloadavg()[0]:.0f}: {said}\n"
            )
            sys.stdout.flush()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    sys.stdout.write(f"{good} of {runs}\n")
    return 0 if good == int(runs) else 1


def _run(line: str, cache: str) -> tuple[int, str]:
    """One run in a fresh clone with an empty home; its exit code, and the last that it said."""
    with tempfile.TemporaryDirectory(prefix="readme-") as place:
        home, clone = Path(place, "home"), Path(place, "caxton")
        home.mkdir()
        subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
        surroundings = {**os.environ, "HOME": str(home), "PIP_CACHE_DIR": cache, "PYTHONPATH": ""}
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=clone,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    told = [one for one in done.stdout.splitlines() if "bought" in one] or done.stdout.splitlines()[-1:]
    return done.returncode, told[-1].strip() if told else "nothing was said"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
