"""What the type checkers must find: read by them, run by nobody."""
