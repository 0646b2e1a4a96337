"""What people get wrong, and what they are told: each names the thing and the rule, says what to do, in two lines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from caxton.cli import daemon_process

from .command import ROOT, caxton

pytestmark = pytest.mark.system


class Mistake(NamedTuple):
    """What is typed, and words of the error and of the hint."""

    words: str
    error: str
    hint: str


USAGE: Final = tuple(
    Mistake(*row)
    for row in (
        ("frob", "no such command 'frob'", "see caxton --help, which lists all"),
        ("logs", "no such command 'logs'", "that is: caxton agent logs AGENT, or msg tail"),
        ("agnet list", "Did you mean 'agent', ", "caxton --help"),
        ("msg lst", "Did you mean 'list'?", "convert, send, tail, show, list"),
        ("walk market", "no such command 'walk'", "caxton --help"),
        ("agent deploy", "missing argument '[NAME] FILE'", "caxton agent deploy --help"),
        ("agent show", "missing argument 'AGENT'", "caxton agent show --help"),
        ("agent remove x y", "got unexpected extra argument", "caxton agent remove --help"),
        ("msg send a hello", "got unexpected extra argument", "msg send --to AGENT --content '\"a text\"'"),
        ("msg list is:problem since:2h", "got unexpected extra argument", "msg list --filter 'is:problem since:2h'"),
        ("agent list --foo", "no such option: --foo", "caxton agent list --help"),
        ("new counter --language c", "no such option: --language", "caxton new --help"),
        ("new", "missing argument 'NAME'", "caxton new --help"),
        ("new Bad/Name", "'Bad/Name' cannot be the name of an agent", "use 1 to 63 of A-Z"),
        ("new counter --lang cobol", "--lang: 'cobol' is not one of", "caxton new --help"),
        ("msg list -o yaml", "'yaml' is not one of 'text', 'json', 'jsonl'", "caxton msg list --help"),
        ("msg list --limit ten", "--limit: it must be a whole number", "caxton msg list --help"),
        ("msg list --limit 0", "--limit: it must be greater than or equal to 1", "caxton msg list --help"),
        ("msg list --performative refuze", "did you mean refuse?", "caxton msg list --help"),
        ("msg list --columns colour", "--columns: there is no column 'colour'", "columns are seq, at"),
        ("msg list --sort colour", "--sort: there is no column 'colour'", "columns are seq, at"),
        ("msg list --since yesterday", "a time is how long ago (5m)", "12:30 of today"),
        ("msg list --until 25:99", "a time is how long ago (5m)", "before that time"),
        ("msg list -f form:buyer", "there is no field 'form'", "fields are from, to"),
        ("msg list -f is:foo", "nothing is 'foo'", "problem, open, pinned"),
        ("msg list -f act:refuze", "FIPA has no act 'refuze'", "did you mean refuse?"),
        ("msg list -f took:10ms", "compare with >, >=, < or <=", ">10ms"),
        ("msg list -f fuel:>many", "'many' is no number", ">1e6"),
        ("msg list -f act:", "a word is missing", "act:refuse"),
        ("msg list -f ~(", "no regular expression", "RE2's syntax"),
        ("conv list --sort speed", "there is no column 'speed'", "columns are id, pin"),
        ("conv list -f is:opne", "nothing is 'opne'", "problem, open, pinned"),
        ("agent list --columns nmae", "there is no column 'nmae'", "columns are name, state"),
        ("web --listen 0.0.0.0:8090", "can be reached by others and has no TLS", "caxton web --help"),
        ("web --listen nowhere", "'nowhere' is no address", "caxton web --help"),
        ("msg send", "nobody is named to get it", "add --to NAME"),
        ("msg send --to", "option '--to' requires an argument", "--help"),
        ("msg send --to a --protocol fipa-contractnet", "did you mean fipa-contract-net?", "--help"),
        ("msg send --to a --protocol contractnet", "did you mean fipa-contract-net?", "--help"),
        ("msg send --to a --content hello", "it is not JSON", "a text needs its quotes"),
        ("msg send --to a --content @none.json", "none.json cannot be read", "--content"),
        ("msg send --to a --content {", "--content: it is not JSON", ""),
        ("msg send --to a --reply-by soon", "'soon' is not a duration", "--help"),
        ("msg send --to a --timeout -1s", "'-1s' is below 0", "--help"),
        ("msg send --acl none.acl", "none.acl", ""),
        ("msg send --acl x --to a", "beside it there is no --to", ""),
        ("msg tail --after -3", "--after: it must be greater than or equal to 0", "caxton msg tail --help"),
        ("msg convert --from foo", "'foo' is not one of", "--help"),
        ("task run", "missing option '--protocol'", "--help"),
        ("dead-letter redeliver", "it is not said which dead letters are meant", "--all"),
        ("break add x --once --count 2", "contradict each other", "leave one of them out"),
        ("break rm", "name one break point, or say --all", ""),
        ("df search --property =3", "--property '=3' has no name", "--property price"),
        ("top --sort speed", "'speed' is not one of", "--help"),
        ("demo --rounds 0", "--rounds: it must be greater than or equal to 1", "--help"),
        ("bench --foo", "no such option: --foo", "--help"),
        ("python build x", "got unexpected extra argument", "--help"),
        ("restore", "missing argument 'FILE'", "--help"),
        ("backup", "missing argument 'FILE'", "--help"),
        ("check none.jsonl", "none.jsonl", "name a file of messages"),
        ("agent deploy x none.wasm", "none.wasm cannot be read", "give the path"),
        ("agent deploy x echo.wasm --strategy blue", "'blue' is not one of", "--help"),
        ("agent deploy x echo.wasm --canary-stages 5", "belongs to canary", "add --strategy canary"),
        ("agent deploy x echo.wasm --limit fuel", "is not KEY=VALUE", "--limit fuel=1000000"),
        ("config validate -p none", "there is no caxton.toml in", "--project DIR"),
    )
)  # fmt: skip
"""What no daemon is asked for."""
OF_A_DAEMON: Final = tuple(
    Mistake(*row)
    for row in (
        ("agent show nobody", "there is no agent 'nobody'", "agents here: echo"),
        ("agent stop nobody", "there is no agent 'nobody'", "agents here: echo"),
        ("agent logs nobody", "there is no agent 'nobody'", "agents here: echo"),
        ("agent remove nobody -y", "there is no agent 'nobody'", "agents here: echo"),
        ("agent deploy bad/name echo.wasm", "'bad/name' cannot be the name", "use 1 to 63"),
        ("agent deploy x echo.wasm --limit foo=1", "there is no limit 'foo'", "sizes as 16777216"),
        ("agent deploy x empty.wasm", "has 0 memories", ""),
        ("agent deploy x text.wasm", "the text of the module is wrong, line 1", "begins with (module"),
        ("agent deploy x nothing.wasm", "the file is empty", "build it again"),
        ("agent deploy x packed.wasm", "compressed with gzip", "gzip -d"),
        ("agent deploy x zipped.wasm", "compressed with zip", "unzip"),
        ("agent deploy x pointer.wasm", "a pointer of Git LFS", "git lfs pull"),
        ("agent deploy x page.wasm", "a web page", "the file itself"),
        ("agent deploy x emscripten.wat", "imports env.emscripten_resize_heap", "Emscripten's"),
        ("agent deploy x bindgen.wat", "imports wbg.__wbindgen_throw", "wasm-bindgen's"),
        ("agent deploy x command.wat", "imports wasi_snapshot_preview1.fd_write", "wasm32-freestanding"),
        ("agent deploy x unexported.wat", "does not export caxton_abi", "must export it"),
        ("msg show 9999", "there is no message '9999'", "caxton"),
        ("msg show foo", "there is no message 'foo'", "caxton"),
        ("conv show none", "there is no conversation 'none'", "caxton conv list"),
        ("conv export none", "there is no conversation 'none'", "caxton conv list"),
        ("conv pin none", "there is no conversation 'none'", "caxton conv list"),
        ("conv unpin none", "'none' is not pinned", "conv list --pinned"),
        ("trace show none", "there is no conversation 'none'", "caxton conv list"),
        ("task run --protocol contractnet --to echo", "needs a way to choose", "lowest:PATH"),
        ("task run --protocol request", "nobody is named to take part", "--to NAME,NAME"),
        ("task run --protocol request --to echo --choose best", "no proposals to choose", "leave choose out"),
        ("task show t9", "there is no task 't9'", "caxton task list"),
        ("task cancel t9", "there is no task 't9'", "caxton task list"),
        ("break rm b9", "there is no break point 'b9'", "caxton break list"),
        ("break add state:open", "state: holds no message", "hold by from"),
        ("break add since:5m", "since: holds no message", "hold by from"),
        ("replay none", "nothing of conversation 'none'", "caxton conv list"),
        ("deploy status nobody", "there is no agent 'nobody'", "agents here"),
        ("deploy abort echo", "is not under way", "caxton deploy status"),
        ("dead-letter show 3", "message 3 is no dead letter", "caxton dead-letter list"),
        ("dead-letter redeliver 99", "message 99 is no dead letter", "caxton dead-letter list"),
        ("msg send --to echo --sender buyer", "buyer", "operator"),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mistakes")
    shutil.copy(ROOT / "agents-examples" / "echo" / "echo.wasm", folder)
    files = {
        "caxton.toml": b'cells = 1\n[agents.echo]\nwasm = "echo.wasm"\n',
        "text.wasm": b"this is no module",
        "empty.wasm": b"\0asm\1\0\0\0",
        "nothing.wasm": b"",
        "packed.wasm": b"\x1f\x8b\x08\0",
        "zipped.wasm": b"PK\3\4\x14",
        "pointer.wasm": b"version https://git-lfs.github.com/spec/v1\n",
        "page.wasm": b"<!DOCTYPE html>",
        "emscripten.wat": b'(module (import "env" "emscripten_resize_heap" (func)) (memory 1))',
        "bindgen.wat": b'(module (import "wbg" "__wbindgen_throw" (func)) (memory 1))',
        "command.wat": b'(module (import "wasi_snapshot_preview1" "fd_write" (func)) (memory 1))',
        "unexported.wat": b'(module (memory (export "memory") 1))',
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def daemon(project: Path) -> Iterator[Path]:
    try:
        assert caxton("up", cwd=project).returncode == 0
        yield project
        assert caxton("down", cwd=project).returncode == 0
    finally:
        daemon_process.kill(project)


def amiss(mistake: Mistake, project: Path) -> str | None:
    """What is wrong with what is said to a mistake."""
    said = caxton(*mistake.words.split(), cwd=project, stdin="{")
    lines = said.stderr.splitlines()
    error = [line for line in lines if line.startswith("error: ")]
    hinted = not mistake.hint or (lines[-1].startswith("hint: ") and mistake.hint in lines[-1])
    wrong = [
        said.returncode in (0, 1) and f"exit code {said.returncode}",
        len(lines) > 2 and f"{len(lines)} lines",
        len(error) != 1 and "no error",
        mistake.error not in "".join(error) and f"not {mistake.error!r}",
        not hinted and f"not {mistake.hint!r}",
        said.stdout and "something on stdout",
    ]  # fmt: skip
    found = [text for text in wrong if text]
    return f"{mistake.words}: {', '.join(found)}: {said.stderr}" if found else None


def test_there_are_many() -> None:
    assert len({one.words for one in (*USAGE, *OF_A_DAEMON)}) >= 80


def test_a_command_line_that_cannot_be_used(project: Path) -> None:
    assert [said for one in USAGE if (said := amiss(one, project))] == []


def test_what_a_daemon_has_not(daemon: Path) -> None:
    assert [said for one in OF_A_DAEMON if (said := amiss(one, daemon))] == []
