"""Install distributions with pip into a folder of their own, without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_NOT_COPIED = shutil.ignore_patterns("build", "dist", "__pycache__", "*.egg-info")


def install(*distributions: Path, target: Path) -> None:
    """Build the distributions with the build tools of this environment and install them into ``target``.

    They are copied first, so that several test processes can build the same one at the same time.
    """
    with tempfile.TemporaryDirectory() as folder:
        copies = [shutil.copytree(path, Path(folder) / path.name, ignore=_NOT_COPIED) for path in distributions]
        options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "-qq"]
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), *map(str, copies)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip failed:\n{done.stdout}{done.stderr}")
