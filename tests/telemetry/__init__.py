"""Tests of log and meters."""
