"""The Python API behind :func:`firnline.plan`, :func:`firnline.run` and :func:`firnline.sweep`."""

from firnline.notebook.values import ShownPlan, ShownRun, ShownSweep

__all__ = ["ShownPlan", "ShownRun", "ShownSweep"]
