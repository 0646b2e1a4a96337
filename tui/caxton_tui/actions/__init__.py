"""What the operator can have the daemon do, each with the command that does the same.

In: names and messages. Out: `Action`s, which a screen performs. Nothing here knows Textual.
"""
