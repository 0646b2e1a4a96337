"""Tests of messages and their forms."""
