"""Checks of this repository that no linter makes. Not part of the distribution."""
