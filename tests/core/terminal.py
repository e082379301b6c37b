"""A real ``firnline`` process in a real project, as it would run in a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue


class Terminal:
    """A ``firnline`` process that leads a group of its own, and what it has printed so far."""

    def __init__(self, project: Path, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firnline", *arguments],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def wait_for(self, *patterns: str, seconds: float = 40.0) -> None:
        """Wait until each pattern was printed."""
        end = time.monotonic() + seconds
        while not all(re.search(pattern, self.output) for pattern in patterns):
            try:
                self.output += self._lines.get(timeout=max(end - time.monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"{patterns} did not come:\n{self.output}") from None

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        while True:
            try:
                self.output += self._lines.get(timeout=0.3)
            except Empty:
                return code

    def members(self) -> list[int]:
        """Return the processes of its group that still live."""
        living = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                except OSError:
                    continue
                if int(group) == self.process.pid and state != "Z":
                    living.append(int(folder.name))
        return living
