"""Packages of a project: chosen by pip among wheels of this test, held by their hashes, unpacked once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from caxton.errors import InvalidModule
from caxton.sandbox.compile.python_source import unpack
from caxton.sandbox.python.requirements import Packages, install, packages_of
from caxton.sandbox.python.runtime import packed

pytestmark = pytest.mark.system


def wheel(
    folder: Path, name: str, version: str, files: dict[str, str], *needs: str, tag: str = "py3-none-any"
) -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as made:
        for place, text in files.items():
            made.writestr(place, text)
        needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
        made.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
        )
        made.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        made.writestr(f"{info}/RECORD", "")


def project(folder: Path, *requirements: str) -> Packages:
    wheels = folder / "wheels"
    wheel(wheels, "greeting", "1.0", {"greeting/__init__.py": "from words import hello\n"}, "words>=2")
    wheel(wheels, "words", "2.1", {"words.py": "hello = 'hello'\n"})
    wheel(wheels, "fastmath", "1.0", {"fastmath.so": ""}, tag="cp314-cp314-linux_x86_64")
    asked = ", ".join(f"'{one}'" for one in requirements)
    (folder / "caxton.toml").write_text(f"[python]\nrequirements = [{asked}]\nwheels = ['wheels']\n")
    found = packages_of(folder / "agent.py")
    assert found is not None
    return found


def test_a_configuration_with_a_byte_order_mark_says_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("[python]\r\nrequirements = ['words']\r\n", "utf-8-sig")
    found = packages_of(tmp_path / "agent.py")
    assert found is not None
    assert found.requirements == ("words",)


def test_packages_are_chosen_once_and_what_is_imported_goes_with_the_agent(tmp_path: Path) -> None:
    packages = project(tmp_path, "greeting")
    source = b"import greeting\ndef handle(message): reply('inform', greeting.hello)\n"
    with pytest.raises(InvalidModule, match="not chosen yet") as refused:
        packed(tmp_path / "agent.py", source)
    assert refused.value.hint == "caxton python install"
    assert install(packages) == ["greeting==1.0", "words==2.1"]
    locked = packages.lock.read_text()
    assert locked.count("--hash=sha256:") == 2
    found = unpack(packed(tmp_path / "agent.py", source))
    assert found is not None
    assert sorted(found.files) == ["greeting/__init__.py", "words.py"]
    # a newer one is there; what was chosen stays
    wheel(tmp_path / "wheels", "words", "3.0", {"words.py": ""})
    assert install(packages) == ["greeting==1.0", "words==2.1"]
    assert packages.lock.read_text() == locked
    # other requirements are chosen anew
    assert install(project(tmp_path, "greeting", "words<3")) == ["greeting==1.0", "words==2.1"]
    assert packages.lock.read_text() != locked


def test_another_wheel_under_the_same_name_is_refused(tmp_path: Path) -> None:
    packages = project(tmp_path, "words")
    packages.lock.write_text(f"{packages.head}words==2.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(InvalidModule, match=r"python\.requirements"):
        install(packages)
    assert not packages.folder.exists()


@pytest.mark.parametrize("name", ["fastmath", pytest.param("nowhere", marks=pytest.mark.long)])
def test_what_has_no_wheel_in_pure_python_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidModule, match=f"no wheel of {name} in pure Python"):
        install(project(tmp_path, "words", name))
    assert not (tmp_path / "python.lock").exists()
