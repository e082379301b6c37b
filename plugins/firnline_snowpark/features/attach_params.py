"""Params of ``features.attach``: none."""

from __future__ import annotations

from firnline.domain import Params


class AttachParams(Params):
    """There is nothing to choose: the encoders say it all."""
