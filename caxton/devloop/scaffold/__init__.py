"""Files that Caxton writes for a person: new agents and projects from templates, and the implied configuration.

In: a name and a language, or a folder with one source. Out: files, or `.caxton/implied.toml`.
"""
