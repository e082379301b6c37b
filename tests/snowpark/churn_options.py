"""Read the option files of the plugin as a test needs them: without Hydra."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml


def option_params(path: str) -> dict[str, Any]:
    """Return the params of an option file, for example ``prepare/clean.yaml``."""
    params: dict[str, Any] = yaml.safe_load((files("firnline_snowpark.conf") / path).read_text())["params"]
    return params
