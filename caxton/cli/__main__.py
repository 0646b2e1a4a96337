"""`python -m caxton.cli` is the same as `caxton`."""

from caxton.cli import main

main()
