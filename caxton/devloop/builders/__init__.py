"""How a module is made from its source.

In: a project's configuration. Out: a `Target` for each module, and its build: a recipe run in a child process, the
module put in its place, the first error found in what the compiler said.

    targets ─▶ source_builders, package_builders ─▶ recipe ─▶ build (process, wasi_stubs, diagnostics)
"""
