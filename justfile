# What one does here, by name. Every recipe uses the Python of the active environment (or of .venv).

python := if path_exists(".venv/bin/python") == "true" { ".venv/bin/python" } else { "python3" }

# list the recipes
default:
    @just --list

# everything that must hold: format, lint, imports, types, docs, tests
check:
    {{python}} .ci/check.py

# the unit tests of what changed since the last commit, or the tests that are named: just test tests/guests -k market
test *arguments:
    {{python}} .ci/changed.py {{arguments}}

# all unit tests: they start no process
unit *arguments:
    {{python}} -m pytest -q -m unit -n auto --maxprocesses 2 {{arguments}}

# the tests that the gate leaves out: kills by the dozen, hundreds of saves, toolchains, the days of a person as a whole
check-long *arguments:
    {{python}} -m pytest --long -m long {{arguments}}
    SLOW_TESTS=1 {{python}} -m pytest tests/testing
    SLOW_TESTS=1 {{python}} -m pytest -m hypothesis

# the scenarios of the examples: the same journal in 50 runs (in Python in 3) and in 1, 2 and 4 cells
same-journal *arguments:
    {{python}} -m pytest -q --long -m long tests/scenario/test_examples.py tests/scenario/test_seeds.py {{arguments}}

# the market, for a person to watch
demo:
    {{python}} -m caxton.cli demo

# measure: just bench -o json
bench *arguments:
    {{python}} -m caxton.cli bench {{arguments}}

# whole runs of an example in one process, on virtual time: just runs-a-minute auction 500
runs-a-minute *arguments:
    PYTHONPATH=tests {{python}} -m testing.rate {{arguments}}

# sequences of messages, retention, set clocks, crashes and failing disks against a model: just torture 10000, or one again: just torture 1 SEED
torture many="500" first="0":
    TORTURE={{many}} TORTURE_SEED={{first}} {{python}} -m pytest -q -n 2 tests/testing -k property

# the same with real processes, as far as these can be made to: just torture-processes 200
torture-processes many="20" first="0":
    TORTURE_PROCESSES={{many}} TORTURE_SEED={{first}} {{python}} -m pytest -q --long -n 2 tests/flow/test_torture.py

# flipped bits over the journal's files, and what became of them: just flips 1000
flips many="1000" seed="1":
    FLIPS={{many}} FLIPS_SEED={{seed}} {{python}} -m pytest -q --timeout 3600 tests/journal/test_damage.py -k flipped

# what the journal costs and how soon it answers, over so many messages: just journal-figures 10000000
journal-figures many="1000000":
    PYTHONPATH=tests:. {{python}} -m journal.figures {{many}}

# the power goes at a thousand moments of a journal's life, each with a disk that had time for some of it: just power-cuts 1000
power-cuts many="1000" seed="0":
    POWER_CUTS={{many}} POWER_CUTS_SEED={{seed}} {{python}} -m pytest -q --timeout 3600 tests/journal/test_power_cuts.py

# the MCP conformance suite for both sides, and servers of others driven by an agent; fetches packages of npm once
mcp-conformance:
    {{python}} -m pytest -q --long tests/effects/test_conformance.py

# fresh pictures of the terminal interface, for its tests and its page
shots:
    {{python}} -m pytest -q tests/tui/test_pictures.py tests/tui/test_more_pictures.py tests/tui/test_held.py --update-shots
    cd tests/tui/snapshots && cp conversations-120x40.svg waits-120x40.svg held-120x40.svg violation-120x40.svg agents-120x40.svg log-120x40.svg meters-120x40.svg stopped-80x24.svg lost-80x24.svg links-120x40.svg compare-120x40.svg range-80x24.svg ../../../docs/pictures/

# what the terminal interface costs a daemon at full speed, and how soon it answers
bench-tui:
    {{python}} tui/bench.py

# processor time until the demo's first picture stands: just first-frame 10
first-frame runs="5":
    {{python}} tui/first_frame.py {{runs}}

# the blocking client, made from the one for asyncio; the proto, from the OpenAPI document
generate:
    {{python}} .ci/unasync.py
    {{python}} .ci/protos.py

# rebuild the example agents; the committed .wasm must come out the same
guests *arguments:
    {{python}} agents-examples/build.py {{arguments}}

# inputs at random for the codecs, a million each, and for the ends of turns: just fuzz 5000 xml, just fuzz 5000 turns
fuzz *arguments:
    PYTHONPATH=.:tests {{python}} tests/acl/fuzz.py {{arguments}}

# requests at random for every route of the API, so many of either kind for each: just api-fuzz 500, just api-fuzz 50 SEED /held
api-fuzz *arguments:
    PYTHONPATH=tests:. {{python}} -m api.fuzzing {{arguments}}

# format, and mend what can be mended
fmt:
    {{python}} -m ruff format .
    {{python}} -m ruff check --fix .

# ruff
lint:
    {{python}} .ci/check.py format lint

# mypy and pyright, both strict
types:
    {{python}} .ci/check.py mypy pyright

# the documentation as a site, in build/site
docs:
    {{python}} .ci/check.py docs

# which package may import which
imports:
    {{python}} .ci/check.py imports

# from a clone to an own Python agent's answer, by the clock: types the tutorial; three minutes at most
first-agent:
    PYTHONPATH=tests:. {{python}} -m flow.first_agent

# the README's first command on a busy machine, ten times at a load of 8: just readme-runs 3 0
readme-runs runs="10" load="8":
    PYTHONPATH=tests:. {{python}} -m flow.readme_runs {{runs}} {{load}}

# the wheel as it is published, in dist/, with the Python runtime inside
release:
    {{python}} .ci/release.py

# what an install brings along, as CycloneDX, in dist/
sbom:
    mkdir -p dist
    {{python}} .ci/sbom.py dist/caxton.cdx.json

# write constraints.txt anew (needs uv)
constraints:
    uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
        --upgrade --no-header --no-emit-index-url --no-annotate --quiet -o constraints.txt
