"""The strategies: direct, blue-green, canary, shadow, drain; and what they decide by.

In: turns of both revisions, and time. Out: who speaks in a conversation, and whether the new revision stays.
"""
