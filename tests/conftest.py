"""No test sees the real home, the real state directory or a variable of a coding agent."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine fails no test: time is measured by `make bench`.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_FOREIGN = (
    "CLAUDE",
    "ANTHROPIC",
    "POINTSMAN_STATE",
    "POINTSMAN_DAEMON",
    "POINTSMAN_DEADLINE",
    "XDG_",
)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty home of its own."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    return home
