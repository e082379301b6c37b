"""How the command's process ends: at once, when everything that was registered to happen at the end has happened."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from typing import Final

_OUTPUT_LOST: Final = 120
"""Python's own exit code where what was printed could not be written."""


class Leaving:
    """Ends the process without taking the interpreter to pieces.

    With the SDKs of a run loaded, that takes half a second and gives nothing: the system frees all of it. Threads have
    been joined and the functions of :mod:`atexit` have run before, those registered earlier excepted.

    Attributes:
        code: the exit code; that of an error, until it is known.
    """

    def __init__(self) -> None:
        self.code = 1
        atexit.register(self._leave)

    def _leave(self) -> None:
        logging.shutdown()
        code = self.code
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # nobody reads any more
                code = code or _OUTPUT_LOST
        os._exit(code)
