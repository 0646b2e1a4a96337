"""The engine: one way for every change of a revision, from the request to the deployment's last row.

In: what was asked for. Out: a deployment as it ended; each of its steps is journalled, so that it also has an
end after a restart of the daemon.
"""
