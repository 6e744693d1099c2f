"""Where the golden samples of the formats lie."""

from pathlib import Path

import pytest


@pytest.fixture
def golden() -> Path:
    """The folder of docs/formats that every package's tests read."""
    return Path(__file__).parents[3] / "docs" / "formats" / "golden"
