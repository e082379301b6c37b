"""The Model Registry of the sandbox: MODEL objects, their files, and the workers that run them.

Importing the package registers its statements, system functions and query rewriters.
"""

from firnline_sandbox.models import alter, calls, create, files_scheme, lineage, room, show, system

__all__ = ["alter", "calls", "create", "files_scheme", "lineage", "room", "show", "system"]
