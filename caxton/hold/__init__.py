"""Messages that people hold before they go on: break points, what they hold, and how it is let go.

In: messages that the bus offers to its interceptor. Out: rows of what is held, and messages that go on, changed,
delayed or not at all.
"""
