"""Hydra's state, of which a process has one: set aside for whoever has a Hydra application of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hydra_kept() -> Iterator[None]:
    """Put Hydra's state of this process back as it was; inside there is none."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    before, config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        # Asked for anew: Hydra itself exchanges these objects.
        GlobalHydra.instance().hydra = before
        HydraConfig.instance().cfg = config
