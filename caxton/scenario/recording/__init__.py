"""What happened becomes a scenario: the messages from outside as steps, what came of them as expectations.

In: a project's journal, conversations or a time. Out: the text of a scenario file that passes when it is run, and of a
second file with what its agents remembered at its beginning. Ids and times that differ each time are masked, and values
that must not leave are replaced in both.
"""

from caxton.scenario.recording.recorder import Recording, Wanted, record

__all__ = ["Recording", "Wanted", "record"]
