"""What goes, and what stays: for how long, for whom, and by which clock.

In: bounds of days and of size. Out: old rows removed, a step at a time, but what a pin, a memory or a mailbox needs.
"""
