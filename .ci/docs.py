"""The documentation as a site, built from the pages as they are.

In: the README, and every page and picture that it leads to. Out: `build/site`, which needs no other host to be read;
exit code 1 where a link or an anchor leads nowhere, or where a page would load something from elsewhere.

The pages keep their places, so that a link is right in the site, in a checkout and on a page of the repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "build" / "pages"
SITE = ROOT / "build" / "site"

_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")
_LOADED = re.compile(r"<(?:script|img|link rel=\"?stylesheet\"?)[^>]+(?:src|href)=\"?https?://[^\s\">]+")


def reached(start: Path) -> set[Path]:
    """The files that a page leads to by links, and those that they lead to."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        if not page.is_file():
            raise SystemExit(f"a page leads to {page.relative_to(ROOT)}, which is no file")
        found.add(page)
        if page.suffix == ".md":
            text = _FENCE.sub("", page.read_text("utf-8"))
            waiting += [(page.parent / link).resolve() for link in _LINK.findall(text) if "://" not in link]
    return found


def main() -> int:
    """Copy the pages, build the site, look at it; returns the exit code."""
    for folder in (PAGES, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for file in sorted(reached(ROOT / "README.md")):
        copy = PAGES / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    code = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=ROOT, check=False
    ).returncode
    if code:
        return code
    for page in sorted(SITE.rglob("*.html")):
        if found := _LOADED.search(page.read_text("utf-8")):
            sys.stderr.write(f"{page.relative_to(SITE)} loads from another host: {found[0]}\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
