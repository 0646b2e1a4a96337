"""The real daemon over its real socket, as a user or a fault meets it."""
