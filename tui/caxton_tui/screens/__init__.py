"""The main screen with its six panes, and the boxes that show something over it.

In: widgets and forms. Out: what the keys do, and the actions that the operator has performed.
"""
