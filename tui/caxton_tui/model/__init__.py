"""What the screens show and where it comes from: the store, the reader that fills it, and how rows read as text.

In: the daemon's API. Out: plain values. Nothing here knows Textual.
"""
