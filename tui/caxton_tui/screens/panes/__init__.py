"""The six panes of the main screen, and what turns from one to the next.

In: widgets and forms. Out: what each pane's keys do, posted as messages to the main screen.
"""
