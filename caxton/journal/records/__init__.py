"""What stands in the journal: each kind of row, how it is written and how it is read back.

In: what the bus and the registry say. Out: a `Batch` of rows, and rows again. It knows nothing of files.
"""
