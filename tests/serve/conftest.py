"""A state directory of the test's own, with a daemon as soon as somebody asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .live import Live, live


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Live]:
    """Clients, commands and the ledger of one state directory."""
    with live(tmp_path) as started:
        yield started
