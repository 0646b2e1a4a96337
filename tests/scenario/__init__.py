"""Scenario files: what they may say, and what is said when a run is not as they expect."""
