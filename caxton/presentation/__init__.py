"""What the daemon says as text for people: the same for the command line and for every viewer."""
