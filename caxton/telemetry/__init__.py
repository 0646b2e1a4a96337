"""What the daemon tells of itself: its log, and its meters as Prometheus text.

In: log records of the packages, and the plain integers that the hot path adds to. Out: log lines with trace and span
ids, and `/metrics`. Nothing here runs on the way of a message.
"""
