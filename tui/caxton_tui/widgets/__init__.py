"""The parts of a screen: tables and the lists made of them, diagrams, cards, the lines around them.

In: the store. Out: what is painted, and messages about where the cursor stands. A widget does nothing to the daemon.
"""
