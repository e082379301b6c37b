from __future__ import annotations

from pathlib import Path

import pytest

from tests.installing import install


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all hostile distributions are installed, and the well-behaved one."""
    target = tmp_path_factory.mktemp("hostile-site")
    install(*sorted((Path(__file__).parent / "distributions").iterdir()), target=target)
    return target
