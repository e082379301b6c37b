"""Fixtures of the translator's tests."""

from __future__ import annotations

import pytest

from .warehouse import Warehouse


@pytest.fixture
def warehouse() -> Warehouse:
    """An empty small database."""
    return Warehouse()
