"""The shapes of the API's answers, shared by server, client, command line and TUI; no web framework is loaded."""
