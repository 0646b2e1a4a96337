"""What is committed, on its way to viewers: the hub, and the event stream that reads from it."""
