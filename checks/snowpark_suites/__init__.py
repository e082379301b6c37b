"""Snowpark's own integration tests, run against the sandbox and held to the counts that were reached."""
