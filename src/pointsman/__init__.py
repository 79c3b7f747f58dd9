"""Pointsman: a lifecycle-hook runtime and control plane for production coding agents.

These names are what a hook written by a user needs, and nothing else.
"""

from pointsman.model.budget import Budget
from pointsman.model.decision import Action, Decision, allow, ask, deny, inject, modify
from pointsman.model.declare import enricher, guard, observer
from pointsman.model.event import Event
from pointsman.model.hook import HookContext

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Budget",
    "Decision",
    "Event",
    "HookContext",
    "__version__",
    "allow",
    "ask",
    "deny",
    "enricher",
    "guard",
    "inject",
    "modify",
    "observer",
]
