"""No change of a file goes unseen, however shortly after the look it comes."""

from __future__ import annotations

import os
from pathlib import Path

from caxton.devloop.watch.fingerprints import Fingerprints


def test_what_was_not_touched_does_not_differ(tmp_path: Path) -> None:
    file, missing = tmp_path / "a", tmp_path / "b"
    file.write_text("1")
    fingerprints = Fingerprints([file, missing])
    assert not fingerprints.differ([file, missing])
    assert fingerprints.differing([file, missing]) == set()


def test_new_changed_and_gone_files_differ(tmp_path: Path) -> None:
    changed, gone, late = tmp_path / "changed", tmp_path / "gone", tmp_path / "late"
    changed.write_text("1")
    gone.write_text("1")
    fingerprints = Fingerprints([changed, gone, late])
    changed.write_text("12")
    gone.unlink()
    late.write_text("1")
    assert fingerprints.differing([changed, gone, late]) == {changed, gone, late}
    assert Fingerprints([changed]).differ([changed, late])


def test_a_change_within_the_same_tick_and_of_the_same_size_differs(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    seen = file.stat()
    fingerprints = Fingerprints([file])
    file.write_text("2")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert fingerprints.differ([file])


def test_a_file_that_is_looked_at_later_differs_only_when_it_changed_since(tmp_path: Path) -> None:
    old, first, young = tmp_path / "old", tmp_path / "first", tmp_path / "young"
    old.write_text("1")
    os.utime(old, ns=(0, 0))
    first.write_text("1")
    fingerprints = Fingerprints([first])
    young.write_text("1")
    os.utime(young, ns=(2**62, 2**62))
    assert fingerprints.extended([first, old]).differing([first, old]) == set()
    assert fingerprints.extended([first, old, young]).differing([first, old, young]) == {young}


def test_renewed_files_are_taken_as_they_are(tmp_path: Path) -> None:
    one, two, gone = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    for file in (one, two, gone):
        file.write_text("1")
    fingerprints = Fingerprints([one, two, gone])
    one.write_text("12")
    two.write_text("12")
    gone.unlink()
    assert fingerprints.renewed([one, gone]).differing([one, two]) == {two}
