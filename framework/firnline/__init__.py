"""Firnline: MLOps pipelines as config files, with every step a plugin."""

__version__ = "0.1.0"
