"""The real client and its scripted model, for the tests of this directory."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .install import claude_code
from .messages_api import MessagesApi
from .session import Claude
from .terminal import Terminal
from .unavailable import HostUnavailable

REQUIRE = "POINTSMAN_REQUIRE_HOSTS"
"""With this variable set to 1 a client that cannot be had fails the tests that need it."""


def unavailable(error: HostUnavailable) -> NoReturn:
    """Skip the test that asks, or fail it where the client is required."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{error} ({REQUIRE}=1)", pytrace=False)
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def claude_binary() -> Path:
    """The client's executable."""
    try:
        return claude_code()
    except HostUnavailable as error:
        unavailable(error)


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    """The scripted model."""
    with MessagesApi() as served:
        yield served


@pytest.fixture
def claude(claude_binary: Path, api: MessagesApi, tmp_path: Path) -> Iterator[Claude]:
    """The client in an empty project with an empty home; nothing of it survives the test."""
    with Claude(tmp_path / "project", tmp_path / "home", api, claude_binary) as client:
        yield client


@pytest.fixture
def open_terminal(claude: Claude) -> Iterator[Callable[..., Terminal]]:
    """Start the interactive client with the options of ``Terminal``; closed after the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Terminal:
            try:
                return stack.enter_context(Terminal(claude, **options))
            except HostUnavailable as error:
                unavailable(error)

        yield start
