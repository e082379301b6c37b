"""Tests of the repository itself: its imports, its size, its documentation of hooks."""
