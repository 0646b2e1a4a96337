"""Folders that a package's own tools build: what is found, what comes out, what is said where a tool is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from caxton import config
from caxton.devloop.builders import toolchains
from caxton.devloop.builders.build import build
from caxton.devloop.builders.diagnostics import first_error
from caxton.devloop.builders.source_builders import in_folder
from caxton.devloop.builders.targets import Target, targets
from caxton.devloop.builders.toolchains import Missing
from caxton.devloop.events import BuildFailed, Built, Diagnostic
from caxton.devloop.scaffold.generate import Language, new_agent
from caxton.errors import ConfigurationError
from caxton.sandbox.compile import precheck
from devloop.project import EXAMPLES

pytestmark = pytest.mark.system

BUILD_ZIG = """
const std = @import("std");
pub fn build(b: *std.Build) void {
    const target = b.resolveTargetQuery(.{
        .cpu_arch = .wasm32, .os_tag = .freestanding, .cpu_model = .{ .explicit = &std.Target.wasm.cpu.mvp },
    });
    const caxton = b.createModule(.{ .root_source_file = .{ .cwd_relative = "@INCLUDE@/caxton.zig" } });
    const root = b.createModule(.{
        .root_source_file = b.path("src/main.zig"), .target = target, .optimize = .ReleaseSmall,
        .imports = &.{.{ .name = "caxton", .module = caxton }},
    });
    const agent = b.addExecutable(.{ .name = "counter", .root_module = root });
    agent.entry = .disabled;
    agent.rdynamic = true;
    b.installArtifact(agent);
}
"""


def target_of(folder: Path, source: str = "src") -> Target:
    text = f'[agents.a]\nwasm = "a.wasm"\nsource = "{source}"\n'
    (folder / "caxton.toml").write_text(text, "utf-8")
    (target,) = targets(config.load(folder, {}))
    return target


async def built(target: Target, folder: Path) -> bytes:
    event, module = await build(target, folder)
    assert isinstance(event, Built), event
    assert not target.inputs.changed(), "what it wrote itself is no reason to build again"
    precheck.check(module, 16 * 1024**2)
    return module


async def failed(target: Target, folder: Path) -> BuildFailed:
    event, _ = await build(target, folder)
    assert isinstance(event, BuildFailed), event
    return event


# Zig's build system compiles itself first
slow = pytest.mark.long


@slow
@pytest.mark.timeout(900)
async def test_a_project_of_zigs_build_system_is_built_and_built_again(tmp_path: Path) -> None:
    new_agent("src", Language.ZIG, tmp_path / "src", None)
    (tmp_path / "src" / "src").mkdir()
    (tmp_path / "src" / "agent.zig").rename(tmp_path / "src" / "src" / "main.zig")
    (tmp_path / "src" / "build.zig").write_text(BUILD_ZIG.replace("@INCLUDE@", str(EXAMPLES / "include")))
    target = target_of(tmp_path)
    first = await built(target, tmp_path)
    main = tmp_path / "src" / "src" / "main.zig"
    main.write_text(main.read_text().replace(".count = count", ".total = count"))
    assert target.inputs.changed()
    assert await built(target, tmp_path) != first
    assert not (tmp_path / "src" / "zig-out").exists(), "nothing of it is left among the sources"
    main.write_text("const x = 1\n")
    error = (await failed(target, tmp_path)).error
    assert (error.file, error.line) == ("src/src/main.zig", 1)


@slow
@pytest.mark.timeout(900)
async def test_a_build_that_installs_no_module_says_so(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "build.zig").write_text(
        'const std = @import("std");\npub fn build(b: *std.Build) void { _ = b; }\n'
    )
    event = await failed(target_of(tmp_path), tmp_path)
    assert "module" in event.error.message or "left no" in event.error.message
    assert "install exactly one wasm module" in (event.hint or "")


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
async def test_a_makefile_writes_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    shutil.copy(EXAMPLES / "echo" / "echo.wasm", tmp_path / "src" / "made.bin")
    (tmp_path / "src" / "Makefile").write_text(
        "$(CAXTON_OUTPUT): made.bin\n\ttest -f $(CAXTON_INCLUDE)/caxton.h\n\tcp made.bin $@\n"
    )
    target = target_of(tmp_path)
    assert await built(target, tmp_path) == (EXAMPLES / "echo" / "echo.wasm").read_bytes()
    (tmp_path / "src" / "made.bin").write_bytes(b"\0asm\1\0\0\0")
    assert target.inputs.changed()
    event, module = await build(target, tmp_path)
    assert isinstance(event, Built)
    assert module == b"\0asm\1\0\0\0"
    (tmp_path / "src" / "Makefile").write_text("all:\n\t@true\n")
    (tmp_path / "a.wasm").unlink()
    assert "$(CAXTON_OUTPUT)" in ((await failed(target, tmp_path)).hint or "")


@pytest.mark.parametrize(
    ("language", "toolchain", "file", "mistake"),
    [
        (Language.RUST, "cargo", "src/lib.rs", ("self.count += add;", "self.count += gone;")),
        (Language.ASSEMBLYSCRIPT, "asc", "assembly/index.ts", ("count += add;", "count += gone;")),
        (Language.GO, "go", "agent.go", ("count += add", "count += gone")),
    ],
)
async def test_a_package_is_built_or_one_line_says_what_to_install(
    tmp_path: Path, language: Language, toolchain: str, file: str, mistake: tuple[str, str]
) -> None:
    new_agent("src", language, tmp_path / "src", None)
    target = target_of(tmp_path)
    look = toolchains.cargo_with_target if toolchain == "cargo" else toolchains.TOOLCHAINS[toolchain].look
    found = look(tmp_path / "src")
    if isinstance(found, Missing):
        event = await failed(target, tmp_path)
        assert target.recipe is not None
        assert str(event.error) == f"{target.recipe.source} needs {found.what}, which is not installed"
        assert event.hint == found.remedy
        return
    first = await built(target, tmp_path)
    source = tmp_path / "src" / file
    text = source.read_text("utf-8")
    assert mistake[0] in text
    source.write_text(text.replace(*mistake), "utf-8")
    assert target.inputs.changed()
    error = (await failed(target, tmp_path)).error
    assert error.file == f"src/{file}"
    assert error.line == text[: text.index(mistake[0])].count("\n") + 1
    source.write_text(text.replace("is out of range", "is too much"), "utf-8")
    assert await built(target, tmp_path) != first


@pytest.mark.parametrize(
    "toolchain", [name for name in toolchains.TOOLCHAINS if name not in ("ziglang", "python")]
)
async def test_without_its_toolchain_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toolchain: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file, text = {
        "cargo": ("Cargo.toml", '[package]\nname = "x"\n'),
        "asc": ("asconfig.json", "{}"),
        "go": ("go.mod", "module x\n"),
        "make": ("Makefile", "all:\n"),
    }[toolchain]
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / file).write_text(text)
    event = await failed(target_of(tmp_path), tmp_path)
    assert event.error.message.startswith(f"{file} needs ")
    assert event.error.message.endswith(", which is not installed")
    assert event.hint
    assert event.output == ""


async def test_a_rust_without_the_target_is_known_by_looking_not_by_cargos_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    words = "error: failed to run `rustc` to learn about target-specific information"
    for name, line in (("cargo", f"echo '{words}' >&2; exit 101"), ("rustc", f"echo {tmp_path}")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Cargo.toml").write_text('[package]\nname = "x"\n')
    event = await failed(target_of(tmp_path), tmp_path)
    assert event.error.message == (
        f"Cargo.toml needs Rust's target {toolchains.RUST_TARGET}, which is not installed"
    )
    assert words in event.output
    (tmp_path / "lib" / "rustlib" / toolchains.RUST_TARGET / "lib").mkdir(parents=True)
    assert "failed to run" in (await failed(target_of(tmp_path), tmp_path)).error.message


FILES = {
    "Cargo.toml": '[package]\nname = "x"\n',
    "package.json": '{"devDependencies": {"assemblyscript": "1"}}',
}


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (["a.wat", "b.c", "build.zig"], "a.wat"),
        (["build.zig", "agent.zig", "c.c"], "build.zig"),
        (["a.c", "Makefile"], "a.c"),
        (["a.c", "b.c", "Makefile"], "Makefile"),
        (["agent.c", "b.c", "Makefile"], "agent.c"),
        (["Makefile", "Cargo.toml"], "Makefile"),
        (["Cargo.toml", "package.json", "go.mod"], "Cargo.toml"),
        (["asconfig.json", "package.json", "go.mod"], "asconfig.json"),
        (["package.json", "go.mod"], "package.json"),
        (["a.zig", "b.zig", "agent.zig"], "agent.zig"),
        (["notes.txt"], None),
    ],
)
def test_the_first_builder_that_fits_is_taken(tmp_path: Path, there: list[str], taken: str | None) -> None:
    for name in there:
        (tmp_path / name).write_text(FILES.get(name, ""))
    found = in_folder(tmp_path)
    assert (found.name if found else None) == taken


def test_a_package_json_of_something_else_is_no_agent(tmp_path: Path) -> None:
    for text in ("{}", "[]", "no json", '{"dependencies": {"left-pad": "1"}}', '{"dependencies": 3}'):
        (tmp_path / "package.json").write_text(text)
        assert in_folder(tmp_path) is None, text


@pytest.mark.parametrize("text", ["no toml", '[workspace]\nmembers = ["x"]\n', "[package]\nname = 3\n"])
def test_a_cargo_toml_that_is_no_crate_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Cargo.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        target_of(tmp_path)
    assert str(tmp_path / "src" / "Cargo.toml") in caught.value.message
    assert caught.value.hint


def test_a_package_may_be_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("")
    (tmp_path / "src" / "go.mod").write_text("module x\n")
    target = target_of(tmp_path, "src/go.mod")
    assert target.recipe is not None
    assert (target.recipe.builder, target.recipe.source) == ("go", "go.mod")


def test_asc_errors_have_their_place() -> None:
    said = (
        "ERROR TS2304: Cannot find name 'adde'.\n    :\n 22 │ count += adde;\n    │          ~~~~\n"
        "    └─ in assembly/index.ts(22,14)\n\nFAILURE 1 compile error(s)\n"
    )
    here = Path("/p")
    assert first_error(said, here, here) == Diagnostic(
        "Cannot find name 'adde'.", "assembly/index.ts", 22, 14
    )
