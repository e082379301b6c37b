"""The toy project of the command line's tests, in which sweeps are launched."""

from tests.cli.conftest import firnline, project, site

__all__ = ["firnline", "project", "site"]
