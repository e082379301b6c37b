"""The toy project of the command line's tests, used from Python."""

from tests.cli.conftest import project, site

__all__ = ["project", "site"]
