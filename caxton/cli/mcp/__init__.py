"""The workbench as an MCP server: a coding agent sends, watches, replays and deploys as a person does by commands.

In: calls of tools over stdio. Out: plain text of at most 4,000 characters with a cursor to go on. Every tool is a
question to the daemon or an order to it, by the same client as every command; nothing here knows the bus.
"""
