"""Whether files have changed: the watcher says when to look, fingerprints say what is different.

In: folders and files. Out: wake-ups, and the files that are new, gone or changed. What git ignores does not count.
"""
