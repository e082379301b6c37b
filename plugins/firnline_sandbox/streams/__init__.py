"""Streams of the sandbox: what changed in a table since somebody last took note of it."""
