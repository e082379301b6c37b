"""Experiments of the sandbox: runs with their parameters, metrics and artifacts, for Snowflake's experiment tracking.

Importing the package registers its statements and the path of its files.
"""

from firnline_sandbox.experiments import files_scheme, show, statements

__all__ = ["files_scheme", "show", "statements"]
