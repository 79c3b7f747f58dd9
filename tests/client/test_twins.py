"""What the two clients have in common with the rest, held together."""

import re
import subprocess
import sys
from pathlib import Path

from pointsman import __version__
from pointsman.model import budget
from pointsman.model.guard_events import GUARD_EVENTS

CLIENT = Path(__file__).parents[2] / "src/pointsman/client"
C_SOURCE = "".join((CLIENT / name).read_text() for name in ("pointsman_hook.c", "transport.h"))


def twin(expression: str) -> str:
    code = f"import sys; sys.path.insert(0, {str(CLIENT)!r}); import hook; print({expression})"
    words = [sys.executable, "-I", "-S", "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_both_know_the_guard_events() -> None:
    table = re.search(r"GUARD_EVENTS\[\] = \{(.*?)NULL", C_SOURCE, re.DOTALL)
    assert table is not None
    assert set(re.findall(r'"(\w+)"', table[1])) == GUARD_EVENTS
    assert set(twin("*hook.GUARD_EVENTS").split()) == GUARD_EVENTS


def test_both_know_the_deadlines() -> None:
    assert f"GUARD_DEADLINE_MS {int(budget.CLIENT_GUARD_DEADLINE * 1000)}\n" in C_SOURCE
    assert f"OTHER_DEADLINE_MS {int(budget.CLIENT_DEADLINE * 1000)}\n" in C_SOURCE
    assert float(twin("hook.GUARD_DEADLINE")) == budget.CLIENT_GUARD_DEADLINE
    assert float(twin("hook.OTHER_DEADLINE")) == budget.CLIENT_DEADLINE


def test_the_deadlines_fit_into_one_another() -> None:
    assert budget.LONGEST < budget.CLIENT_DEADLINE <= budget.CLIENT_GUARD_DEADLINE
    assert budget.CLIENT_GUARD_DEADLINE < budget.HOST_TIMEOUT
    assert max(budget.DEFAULT_BUDGETS.values()) <= budget.LONGEST


def test_the_twin_knows_its_version() -> None:
    assert twin("hook.VERSION") == __version__


def test_the_twin_loads_nothing_that_costs() -> None:
    loaded = set(twin("*sys.modules").split())
    heavy = {"json", "socket", "re", "enum", "typing", "collections", "functools", "site", "signal"}
    assert not loaded & heavy
