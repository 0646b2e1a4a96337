"""Boxes to fill in or to answer, laid over a screen.

In: what is known already. Out: an `Action`, or None where the box was closed.
"""
