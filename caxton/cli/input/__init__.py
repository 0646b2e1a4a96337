"""What a person gives a command: JSON arguments, files of messages, keys, texts in an editor."""
