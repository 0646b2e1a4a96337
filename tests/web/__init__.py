"""Tests of what a browser is served."""
