"""The documentation: its examples run, its generated pages are up to date, its links lead somewhere."""
