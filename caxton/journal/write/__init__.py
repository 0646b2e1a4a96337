"""Writing the journal: the tables (`schema`), a batch as one transaction (`commits`), and the thread that does it.

In: batches in order. Out: committed rows, the indexes behind them, and a log that begins anew now and then.
"""
