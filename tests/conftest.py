"""What holds for the whole suite."""

from __future__ import annotations

import signal

# Where a shell starts the suite in the background, SIGINT is ignored, and every process that a test starts inherits
# that: none of them could be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)
