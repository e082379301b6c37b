"""Tasks of the sandbox: statements that run on a schedule, after one another, or when a stream has data."""
