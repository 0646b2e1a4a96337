"""What decides in a deployment: the policies of blue-green, canary and shadow, and what they decide by. Pure.

In: turns of both revisions, and time. Out: who speaks in a conversation, and whether the new revision stays.
"""
