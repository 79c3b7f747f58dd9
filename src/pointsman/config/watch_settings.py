"""The settings of the detectors. A repository makes them find more, and never less."""

from collections.abc import Mapping
from typing import Any

from pointsman.config.specs import Flag, Number, Spec, Table
from pointsman.model.watching import DETECTORS, HIGHER, REPEAT_AFTER, Threshold, Watched

_ENABLED = Flag("Whether it looks. Only the user's file may turn it off. Default: true.")

Refused = list[tuple[tuple[str, ...], Any, str]]


def _number(threshold: Threshold) -> Number:
    doc = f"{threshold.doc} Default: {threshold.default:g}."
    return Number(doc, threshold.low, threshold.high, whole=threshold.whole)


def _table(watched: Watched) -> Table:
    numbers: dict[str, Spec] = {name: _number(each) for name, each in watched.thresholds.items()}
    return Table(watched.doc, {"enabled": _ENABLED, **numbers})


WATCH = Table(
    "The detectors, which look at a run while it goes on (docs/watching.md).",
    {
        "enabled": Flag("Whether they look at all. Only the user's file says no. Default: true."),
        "repeat_after": Number(
            f"Seconds before the same is found again. Default: {REPEAT_AFTER:g}.", 0, 86_400
        ),
        **{name: _table(watched) for name, watched in DETECTORS.items()},
    },
)


def merge_watch(
    user: Mapping[str, Any], repository: Mapping[str, Any], refused: Refused
) -> dict[str, Any]:
    """Return the values in force; what a repository may not say is added to ``refused``."""
    out: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in user.items()
    }
    for key, value in repository.items():
        at = ("watch", key)
        if isinstance(value, Mapping):
            table = out.setdefault(key, {})
            for name, given in value.items():
                _tighten(table, (*at, name), given, DETECTORS[key].thresholds.get(name), refused)
        elif key == "enabled":
            _tighten(out, at, value, None, refused)
        else:
            _tighten(out, at, value, Threshold(REPEAT_AFTER, "", 0, 86_400), refused)
    return out


def _tighten(
    table: dict[str, Any],
    at: tuple[str, ...],
    value: Any,
    threshold: Threshold | None,
    refused: Refused,
) -> None:
    """Take a repository's value where it is as strict as the one in force, or stricter."""
    name = at[-1]
    if threshold is None:  # A switch.
        if not value and table.get(name, True):
            refused.append((at, value, "it turns the watching off"))
        elif value:
            table[name] = True
        return
    now = table.get(name, threshold.default)
    laxer = value < now if threshold.stricter == HIGHER else value > now
    if laxer:
        refused.append((at, value, f"it finds less than {now:g}"))
    else:
        table[name] = value
