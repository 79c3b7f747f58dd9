"""Every detector we ship, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pointsman.watch.burn import Burn, BurnOfType
from pointsman.watch.churn import Churn
from pointsman.watch.context import Compactions, Context
from pointsman.watch.cycle import Cycle
from pointsman.watch.denials import Denials
from pointsman.watch.detector import Detector
from pointsman.watch.drift import Drift
from pointsman.watch.hook_health import HookBudget, HookFailures
from pointsman.watch.limit_reached import LimitReached
from pointsman.watch.mcp_down import McpDown
from pointsman.watch.no_progress import NoProgress
from pointsman.watch.repetition import Repetition
from pointsman.watch.same_error import SameError
from pointsman.watch.spawning import Depth, FanOut
from pointsman.watch.stalled import Stalled
from pointsman.watch.zombie import Zombie


class Scope(Enum):
    """Of what there is one detector each."""

    AGENT = "agent"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Row:
    """One detector: its name, what makes it, and of what there is one each."""

    name: str
    make: Callable[[Mapping[str, float], dict[str, Any]], Detector]
    scope: Scope


ALL: tuple[Row, ...] = (
    Row("repetition", Repetition, Scope.AGENT),
    Row("cycle", Cycle, Scope.AGENT),
    Row("same-error", SameError, Scope.AGENT),
    Row("no-progress", NoProgress, Scope.AGENT),
    Row("churn", Churn, Scope.SESSION),
    Row("fan-out", FanOut, Scope.SESSION),
    Row("depth", Depth, Scope.SESSION),
    Row("burn-rate", Burn, Scope.SESSION),
    Row("burn-rate", BurnOfType, Scope.AGENT),
    Row("drift", Drift, Scope.AGENT),
    Row("denials", Denials, Scope.AGENT),
    Row("stalled", Stalled, Scope.AGENT),
    Row("zombie", Zombie, Scope.SESSION),
    Row("context", Context, Scope.AGENT),
    Row("compactions", Compactions, Scope.SESSION),
    Row("hook-failures", HookFailures, Scope.SESSION),
    Row("hook-budget", HookBudget, Scope.SESSION),
    Row("limit-reached", LimitReached, Scope.AGENT),
    Row("mcp-down", McpDown, Scope.SESSION),
)
"""A new detector is one file, one line here and its thresholds in ``model/watching.py``."""
