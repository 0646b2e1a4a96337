"""What led to a message, where two runs part, and what comes of a moment that is changed."""
