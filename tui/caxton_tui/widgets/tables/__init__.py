"""What every list of the app stands on: columns that fit, lines painted one by one, marks, sorting, search inside.

In: rows and what a cell says. Out: a list that stays quick with a hundred thousand rows. It knows nothing of agents.
"""
