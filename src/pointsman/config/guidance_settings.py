"""The settings of what agents are told: expertise, conventions, the hand-off to a fresh session.

A repository has agents told less, and conventions held to more strictly; who may write shared
expertise is the user's own word.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.config.specs import Many, Number, Table, Text
from pointsman.model.convention import AGAIN
from pointsman.model.expertise import ERROR_LINES, IMPROVERS, MOST_TOKENS, TOKENS, WARN_LINES
from pointsman.model.handoff import AfterClear

_LINES = 100_000

EXPERTISE = Table(
    "What is known of the parts of a project (docs/expertise.md).",
    {
        "tokens": Number(
            f"The most that is told at once, in tokens. Default: {TOKENS}.", 100, MOST_TOKENS,
            whole=True,
        ),
        "warn_lines": Number(
            f"From more lines than these a sheet is long. Default: {WARN_LINES}.", 1, _LINES,
            whole=True,
        ),
        "error_lines": Number(
            f"From more lines than these it is too long. Default: {ERROR_LINES}.", 1, _LINES,
            whole=True,
        ),
        "improvers": Many(
            "The agents that may write sheets (* and ?; `main` is the main thread). Only the "
            f"user's file may say so. Default: {', '.join(IMPROVERS)}.",
            Text("A pattern."),
        ),
    },
)  # fmt: skip

CONVENTIONS = Table(
    "What a project's own instructions say (docs/conventions.md).",
    {
        "violation": Text(
            "What becomes of an edit that breaks a confirmed convention: context (the agent is "
            "told) or deny. Default: context.",
            ("context", "deny"),
        ),
        "again": Number(
            f"So often a convention is broken until the report says so. Default: {AGAIN}.", 1,
            _LINES, whole=True,
        ),
    },
)  # fmt: skip

HANDOFF = Table(
    "From one session to the next (docs/handoff.md).",
    {
        "after_clear": Text(
            "When the session after /clear is given the brief of the cleared one: always, past "
            "(where its context was past the threshold, or confused) or never. Default: always.",
            tuple(AfterClear),
        ),
    },
)

TABLES: Mapping[str, Table] = {
    "expertise": EXPERTISE,
    "conventions": CONVENTIONS,
    "handoff": HANDOFF,
}
"""The tables of a settings file that are of this matter."""

Refused = list[tuple[tuple[str, ...], Any, str]]
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "expertise": {
        "tokens": TOKENS,
        "warn_lines": WARN_LINES,
        "error_lines": ERROR_LINES,
        "improvers": list(IMPROVERS),
    },
    "conventions": {"violation": "context", "again": AGAIN},
    "handoff": {"after_clear": AfterClear.ALWAYS.value},
}
_STRICTER: Mapping[str, tuple[Any, ...]] = {
    "violation": ("context", "deny"),
    "after_clear": tuple(AfterClear),
}
"""By setting, its values from the laxest on; of numbers the smaller is the stricter."""


def merge_guidance(
    user: Mapping[str, Any], repository: Mapping[str, Any], refused: Refused
) -> dict[str, dict[str, Any]]:
    """Return the values in force; what a repository may not say is added to ``refused``."""
    out = {name: {**_DEFAULTS[name], **user.get(name, {})} for name in TABLES}
    for name in TABLES:
        for key, value in repository.get(name, {}).items():
            now, at = out[name][key], (name, key)
            if isinstance(value, list):
                refused.append((at, value, "whose word that is, is the user's own"))
            elif _is_laxer(key, now, value):
                refused.append((at, value, f"it is laxer than {now!r}"))
            else:
                out[name][key] = value
    return out


def _is_laxer(key: str, now: Any, value: Any) -> bool:
    order = _STRICTER.get(key)
    return order.index(value) < order.index(now) if order else bool(value > now)
