"""Every builder builds; every failure says where and what to do."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest
import wasmtime

from caxton import config
from caxton.devloop.builders import toolchains
from caxton.devloop.builders.build import build
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.events import BuildFailed, Built, Diagnostic
from caxton.errors import ConfigurationError
from caxton.install_hint import install_hint
from caxton.limits import Limits
from caxton.sandbox.cell.calls_public import PublicCalls
from caxton.sandbox.cell.instance import Instance
from caxton.sandbox.engines import engine
from caxton.sandbox.modules import Revision
from caxton.sandbox.profiles import Profile
from devloop.project import EXAMPLES

pytestmark = pytest.mark.system


def project(folder: Path, text: str) -> list[Target]:
    (folder / "caxton.toml").write_text(text, "utf-8")
    return targets(config.load(folder, {}))


async def one(folder: Path, text: str) -> tuple[Target, Built | BuildFailed]:
    (target,) = project(folder, text)
    event, _ = await build(target, folder)
    return target, event


async def good(folder: Path, text: str) -> tuple[Target, Built]:
    target, event = await one(folder, text)
    assert isinstance(event, Built), event
    assert event.revision == hashlib.sha256(target.module.read_bytes()).hexdigest()
    assert event.size == target.module.stat().st_size
    return target, event


async def bad(folder: Path, text: str) -> BuildFailed:
    target, event = await one(folder, text)
    assert isinstance(event, BuildFailed), event
    assert not target.module.exists()
    return event


async def test_c_comes_out_as_the_examples_do_and_knows_what_it_read(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "counter" / "counter.c", tmp_path)
    target, _ = await good(tmp_path, '[agents.counter]\nwasm = "counter.wasm"\n')
    assert (tmp_path / "counter.wasm").read_bytes() == (EXAMPLES / "counter" / "counter.wasm").read_bytes()
    assert target.inputs.files() == {tmp_path / "counter.c", EXAMPLES / "include" / "caxton.h"}


async def test_c_errors_have_their_place_also_in_a_header(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text('#include "part.h"\n')
    (tmp_path / "src" / "part.h").write_text("int f(void) {\n    return 1\n}\n")
    event = await bad(tmp_path, '[agents.a]\nwasm = "a.wasm"\nsource = "src"\n')
    assert event.error == Diagnostic("expected ';' after return statement", "src/part.h", 2, 13)
    assert "1 error generated" in event.output


async def test_a_missing_header_is_found_once_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text('#include "parts/later.h"\n')
    (target,) = project(tmp_path, '[agents.a]\nwasm = "a.wasm"\n')
    event, _ = await build(target, tmp_path)
    assert isinstance(event, BuildFailed)
    assert not target.inputs.changed()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "later.h").write_text(
        '#include "caxton.h"\nCAXTON_EXPORT(f) int f(void) { return 1; }\n'
    )
    assert target.inputs.changed()
    event, _ = await build(target, tmp_path)
    assert isinstance(event, Built)
    assert tmp_path / "parts" in set(target.inputs.folders())


async def test_cpp_builds_with_our_header(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "counter" / "counter.c", tmp_path / "counter.cpp")
    target, _ = await good(tmp_path, '[agents.counter]\nwasm = "counter.wasm"\n')
    assert tmp_path / "counter.cpp" in target.inputs.files()


ZIG = """
const Mailbox = extern struct {
    magic: u32, version: u32, flags: u32, in_ptr: [*]u8, in_cap: u32, out_ptr: [*]u8, out_len: u32, out_cap: u32,
};
var in: [4096]u8 = undefined;
var out: [4096]u8 = undefined;
var mailbox = Mailbox{
    .magic = 0x31415843, .version = 1 << 16, .flags = 0,
    .in_ptr = &in, .in_cap = in.len, .out_ptr = &out, .out_len = 0, .out_cap = out.len,
};
export fn caxton_abi() *Mailbox { return &mailbox; }
export fn caxton_alloc(n: u32) ?[*]u8 { return if (n <= in.len) &in else null; }
export fn handle_message(_: [*]u8, _: u32) i32 { return 0; }
"""


# the C library is compiled for it, which takes as long as all other builders together
@pytest.mark.long
async def test_c_with_the_c_library_imports_nothing_and_logs_what_it_prints(tmp_path: Path) -> None:
    (tmp_path / "mine.h").write_text("#include <stdio.h>\n#include <stdlib.h>\n")
    (tmp_path / "agent.c").write_text(
        """
#include "mine.h"
#include "caxton.h"
#include <string.h>
static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_turn(text, length);
    int *numbers = malloc(1000 * sizeof *numbers);
    for (int i = 0; i < 1000; i++) numbers[i] = i * 37 % 1009;
    qsort(numbers, 1000, sizeof *numbers, by_value);
    char told[64];
    snprintf(told, sizeof told, "%d %.3f %s", numbers[999], 1.5, strchr("a-x", 'x'));
    free(numbers);
    printf("one\\ntwo %d\\n", fopen("/etc/passwd", "r") == 0);
    caxton_begin("inform");
    caxton_content("");
    printf("inside\\n");
    caxton_string(told);
    caxton_end();
    return caxton_sent();
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    printf("later\\n");
    caxton_put("{}");
    return caxton_sent();
}
"""
    )
    target, _ = await good(tmp_path, '[agents.agent]\nwasm = "agent.wasm"\n')
    wasm = target.module.read_bytes()
    # an agent with the features of profile strict, which brings no system
    revision = Revision(wasmtime.Module(engine(Profile.STRICT), wasm), Profile.STRICT)
    instance = Instance(revision, Limits(), PublicCalls)
    try:
        for before in ([], ["later"]):
            count, output, _ = instance.turn(b'{"performative": "request"}')
            lines = [json.loads(line) for line in output.splitlines()]
            said = [line for line in lines if "caxton" not in line]
            assert count == 1
            assert said == [{"performative": "inform", "content": "1008 1.500 x"}]
            assert [one["message"] for one in lines if one not in said] == [*before, "one", "two 1", "inside"]
            assert instance.snapshot() == b"{}"
    finally:
        instance.close()


async def test_zig_builds(tmp_path: Path) -> None:
    (tmp_path / "agent.zig").write_text(ZIG)
    _, event = await good(tmp_path, '[agents.agent]\nwasm = "agent.wasm"\n')
    assert event.size < 2_000


async def test_zig_errors_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "agent.zig").write_text("const x = 1\n")
    event = await bad(tmp_path, '[agents.agent]\nwasm = "agent.wasm"\n')
    assert (event.error.file, event.error.line, event.error.column) == ("agent.zig", 1, 12)


async def test_wat_comes_out_as_the_examples_do(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "echo" / "echo.wat", tmp_path)
    target, _ = await good(tmp_path, '[agents.echo]\nwasm = "echo.wasm"\n')
    assert (tmp_path / "echo.wasm").read_bytes() == (EXAMPLES / "echo" / "echo.wasm").read_bytes()
    assert target.inputs.files() == {tmp_path / "echo.wat"}


async def test_wat_that_is_the_module_is_translated_elsewhere(tmp_path: Path) -> None:
    text = (EXAMPLES / "echo" / "echo.wat").read_text()
    (tmp_path / "echo.wat").write_text(text)
    target, _ = await good(tmp_path, '[agents.echo]\nwasm = "echo.wat"\n')
    assert target.module.is_relative_to(tmp_path / ".caxton" / "build")
    assert (tmp_path / "echo.wat").read_text() == text


async def test_wat_errors_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.wat").write_text("(module\n (fnc))\n")
    event = await bad(tmp_path, '[agents.a]\nwasm = "a.wasm"\n')
    assert event.error == Diagnostic("expected valid module field", "a.wat", 2, 3)


COPY = "import os, pathlib; print(os.environ['CAXTON_AGENT']); pathlib.Path('out').mkdir(exist_ok=True); "
COPY += "pathlib.Path('out/m.wasm').write_bytes(bytes.fromhex('0061736d01000000'))"


def command(program: str, more: str = "") -> str:
    return f"""[agents.a]\nwasm = "a.wasm"\nsource = "src"
[agents.a.build]\ncommand = {json.dumps([sys.executable, "-c", program])}\n{more}"""


async def test_a_command_wins_over_what_lies_there_and_runs_in_the_sources_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("this is no C")
    _, event = await good(tmp_path, command(COPY, 'output = "out/m.wasm"\n'))
    assert event.output == "a\n"
    assert (tmp_path / "a.wasm").read_bytes() == (tmp_path / "src" / "out" / "m.wasm").read_bytes()


@pytest.mark.parametrize(
    ("program", "more", "said", "hint"),
    [
        ("print('x.c:3:4: error: no'); raise SystemExit(3)", "", "src/x.c:3:4: error: no", None),
        ("raise SystemExit(3)", "", "the builder failed without any output", None),
        ("pass", "", "the command succeeded but wrote no a.wasm", "build.output"),
        (
            "open('../a.wasm.x', 'w')",
            'output = "../a.wasm.x"',
            "a.wasm.x is not a WebAssembly module",
            "wasm",
        ),
        (
            "import time\nwhile True: pass",
            'timeout = "300ms"',
            "error: it took longer than 0.3 s",
            "build.timeout",
        ),
    ],
)
async def test_a_command_that_fails_says_why(
    tmp_path: Path, program: str, more: str, said: str, hint: str | None
) -> None:
    (tmp_path / "src").mkdir()
    event = await bad(tmp_path, command(program, more))
    assert str(event.error).startswith(said)
    assert (hint is None and event.hint is None) or (hint is not None and hint in (event.hint or ""))


async def test_a_command_that_is_not_here_says_so(tmp_path: Path) -> None:
    event = await bad(tmp_path, '[agents.a]\nwasm = "a.wasm"\nbuild = { command = ["no-such-compiler"] }\n')
    assert str(event.error) == "error: no-such-compiler cannot be run: No such file or directory"
    assert "install" in (event.hint or "")


async def test_what_a_builder_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    program = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'while True: pass']); "
    event = await bad(tmp_path, command(program + "print('x: error: no'); sys.exit(1)"))
    # the pipe is closed only when the last one that holds it has ended, so that it came here says it all
    assert event.output == "x: error: no\n"
    assert event.build_ms < 30_000


LEFT = """
import os, subprocess, sys, time
left = [sys.executable, "-c", "import os, time; open(str(os.getpid()) + '.left', 'w').close(); time.sleep(600)"]
subprocess.Popen(left, start_new_session=True, **({} if sys.argv[1] == "holds" else {"stdout": -3, "stderr": -3}))
while not any(name.endswith(".left") for name in os.listdir(".")):
    time.sleep(0.01)
print("x: error: no")
"""


@pytest.mark.parametrize("output", ["holds", "elsewhere"])
async def test_what_left_the_builders_session_is_ended_too(tmp_path: Path, output: str) -> None:
    """Compiler servers do so. Whether or not it holds the output open, the build is over when its command is."""
    (tmp_path / "src").mkdir()
    words = json.dumps([sys.executable, "-c", LEFT, output])
    began = time.monotonic()
    event = await bad(
        tmp_path,
        f'[agents.a]\nwasm = "a.wasm"\nsource = "src"\nbuild = {{ command = {words}, timeout = "60s" }}\n',
    )
    assert time.monotonic() - began < 30
    assert event.output == "x: error: no\n"
    (left,) = (tmp_path / "src").glob("*.left")
    assert not is_running(int(left.stem))


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("table", ["", 'source = "src"', 'build = { command = ["true"] }'])
@pytest.mark.parametrize("name", ["counter.c", "x/agent.zig", "lib.rs"])
def test_a_module_that_is_a_source_is_refused(tmp_path: Path, name: str, table: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "agent.c").write_text("")
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigurationError, match="is a source") as refused:
        project(tmp_path, f'[agents.a]\nwasm = "{name}"\n{table}\n')
    assert ".wasm" in (refused.value.hint or "")


async def test_a_file_that_was_not_made_here_is_not_written_over(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "echo" / "echo.wat", tmp_path / "echo.wat")
    (tmp_path / "notes.txt").write_text("mine")
    _, event = await one(tmp_path, '[agents.a]\nwasm = "notes.txt"\nsource = "echo.wat"\n')
    assert isinstance(event, BuildFailed)
    assert "not written over" in str(event.error)
    assert (tmp_path / "notes.txt").read_text() == "mine"


async def test_without_ziglang_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.c").write_text("")
    monkeypatch.setattr(toolchains, "find_spec", lambda name: None)  # pyright: ignore[reportUnknownArgumentType]
    event = await bad(tmp_path, '[agents.a]\nwasm = "a.wasm"\n')
    assert str(event.error) == "a.c needs ziglang, which is not installed"
    assert event.hint == install_hint("build")


def test_agents_of_one_module_share_its_build(tmp_path: Path) -> None:
    (tmp_path / "seller.c").write_text("")
    made = project(tmp_path, '[agents.ann]\nwasm = "seller.wasm"\n[agents.bob]\nwasm = "seller.wasm"\n')
    assert [target.agents for target in made] == [["ann", "bob"]]


def test_a_module_without_a_source_is_watched_itself(tmp_path: Path) -> None:
    (target,) = project(tmp_path, '[agents.a]\nwasm = "a.wasm"\n')
    assert target.recipe is None
    assert target.inputs.files() == {tmp_path / "a.wasm"}


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ('source = "gone.c"', [], "there is no source"),
        ('source = "src"', ["src/x.txt"], "there is no source in"),
        ('source = "src"', ["src/x.c", "src/y.c"], "more than one .c file: x.c, y.c"),
        ('source = "a.rs"', ["a.rs"], "nothing here builds"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, files: list[str], said: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with pytest.raises(ConfigurationError) as caught:
        project(tmp_path, f'[agents.a]\nwasm = "a.wasm"\n{text}\n')
    assert said in caught.value.message
    assert caught.value.hint


async def test_a_module_may_stand_outside_the_project(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    shutil.copy(EXAMPLES / "echo" / "echo.wat", tmp_path / "home")
    text = '[agents.echo]\nwasm = "../out/echo.wasm"\nsource = "echo.wat"\n'
    target, _ = await good(tmp_path / "home", text)
    assert target.module == tmp_path / "out" / "echo.wasm"


def test_two_ways_to_one_module_are_refused(tmp_path: Path) -> None:
    for name in ("x.c", "y.c"):
        (tmp_path / name).write_text("")
    with pytest.raises(ConfigurationError, match="two ways"):
        project(
            tmp_path,
            '[agents.a]\nwasm = "m.wasm"\nsource = "x.c"\n[agents.b]\nwasm = "m.wasm"\nsource = "y.c"\n',
        )


async def test_a_command_that_writes_among_its_sources_does_not_set_itself_off_for_ever(
    tmp_path: Path,
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "in.txt").write_text("1")
    program = (
        "import pathlib, time; pathlib.Path('log.txt').write_text(str(time.time_ns())); "
        "pathlib.Path('m.wasm').write_bytes(bytes.fromhex('0061736d01000000'))"
    )
    (target,) = project(tmp_path, command(program, 'output = "m.wasm"\n'))
    builds = 0
    while target.inputs.changed():
        builds += 1
        assert builds < 5
        event, _ = await build(target, tmp_path)
        assert isinstance(event, Built), event
    (tmp_path / "src" / "in.txt").write_text("22")
    assert target.inputs.changed(), "its own work is known by now, and a source is still a source"
