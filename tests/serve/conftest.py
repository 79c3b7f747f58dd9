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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One daemon for all cases of a table that leave it as it was."""
    with live(tmp_path_factory.mktemp("shared")) as started:
        yield started
