"""The compile child: one module or component, then the end. Run as `python -m caxton.sandbox.compile --cpu S --memory
BYTES`.

It reads one job (`Job` as JSON, then the end of the input) and answers with one line, `Done` as JSON. Its processor
time and (on Linux) its address space are limited before it reads the job; the daemon's clock limits the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import wasmtime
from wasmtime.component import Component

from caxton.errors import InvalidModule
from caxton.sandbox.abi import check_exports
from caxton.sandbox.compile.jobs import Done, Job
from caxton.sandbox.compile.module_cache import write_whole
from caxton.sandbox.compile.precheck import check, check_component, is_component
from caxton.sandbox.components.linker import check_world
from caxton.sandbox.engines import engine
from caxton.sandbox.faults import shown
from caxton.sandbox.foreign import what_it_is
from caxton.sandbox.modules import described
from caxton.sandbox.processes import die_with_parent
from caxton.sandbox.profiles import Profile


def run(job: Job) -> Done:
    """Check, compile and write; refusals are answers."""
    began = time.monotonic()
    try:
        source = Path(job.source).read_bytes()
        wasm = _translated(source) if job.wat else source
        if is_component(wasm):
            return _component(job, wasm, began)
        check(wasm, job.memory_bytes)
        module = wasmtime.Module(engine(job.profile), wasm)
        found = described(module)
        check_exports(found)
    except InvalidModule as refused:
        return Done(ok=False, reason=refused.message, hint=refused.hint)
    except wasmtime.WasmtimeError as refused:
        hint = "the module uses a feature that its profile keeps off, or is malformed"
        return Done(ok=False, reason=f"the module does not compile: {shown(str(refused), 300)}", hint=hint)
    if job.wasm_output is not None:
        write_whole(Path(job.wasm_output), wasm)
    compiled = bytes(module.serialize())
    write_whole(Path(job.output), compiled)
    return Done(
        ok=True,
        exports=[shown(name, 64) for name in found],
        sha256=hashlib.sha256(wasm).hexdigest(),
        size=len(compiled),
        compile_ms=(time.monotonic() - began) * 1000,
    )


def _component(job: Job, wasm: bytes, began: float) -> Done:
    if job.profile is not Profile.STANDARD:
        raise InvalidModule("a component runs in profile standard only", hint="leave the profile out")
    if not job.ours:
        check_component(wasm, job.memory_bytes)
    component = Component(engine(Profile.COMPONENT), wasm)
    found = check_world(component)
    if job.wasm_output is not None:
        write_whole(Path(job.wasm_output), wasm)
    compiled = bytes(component.serialize())
    write_whole(Path(job.output), compiled)
    return Done(
        ok=True,
        exports=sorted(found),
        sha256=hashlib.sha256(wasm).hexdigest(),
        size=len(compiled),
        compile_ms=(time.monotonic() - began) * 1000,
        component=True,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Read the job from the standard input and answer on the standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True)
    arguments = parser.parse_args(words)
    die_with_parent()
    # the soft limit raises SIGXCPU, which tells this end from others; the hard one a second later kills
    resource.setrlimit(resource.RLIMIT_CPU, (arguments.cpu, arguments.cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (arguments.memory, arguments.memory))
    text = sys.stdin.buffer.read()
    if not text:
        return
    out = sys.stdout.buffer
    out.write(msgspec.json.encode(run(msgspec.json.decode(text, type=Job))) + b"\n")
    out.flush()
    # everything is on disk and answered; taking the interpreter down in order costs the caller 10 ms
    os._exit(0)


def _translated(source: bytes) -> bytes:
    if (guess := what_it_is(source)) is not None:
        raise InvalidModule(guess.what, hint=guess.hint)
    try:
        return bytes(wasmtime.wat2wasm(source.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise InvalidModule("the text of the module is not UTF-8") from None
    except wasmtime.WasmtimeError as refused:
        raise InvalidModule(
            f"the text of the module is wrong{_place(str(refused))}",
            hint="it has to be a .wasm module, or WebAssembly text that begins with (module",
        ) from None


def _place(text: str) -> str:
    """What wasmtime says of a text, without its drawing: `, line 3, column 7: expected ...`."""
    what = shown(text.strip().partition("\n")[0], 300)
    found = re.search(r"--> [^\n]*:(\d+):(\d+)", text)
    return f", line {found[1]}, column {found[2]}: {what}" if found else f": {what}"


if __name__ == "__main__":
    main()
