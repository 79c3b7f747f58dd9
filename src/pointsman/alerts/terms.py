"""What the settings say of alerts, ready to be used: times, quiet hours, the ladder."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pointsman.model.alert import Severity
from pointsman.model.alerting import Rung

RECOVER_AFTER, COOL_DOWN = 30.0, 10.0
"""Minutes. The first is three times what a detector is silent for after a finding (10 minutes)."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nobody is told of a warning; ``until`` before ``since`` is over midnight."""

    since: time
    until: time
    days: tuple[int, ...] = tuple(range(7))
    """The days on which it begins, Monday is 0."""

    def covers(self, moment: datetime) -> bool:
        """Whether a moment, in local time, lies in it."""
        now, day = moment.time(), moment.weekday()
        if self.since < self.until:
            return day in self.days and self.since <= now < self.until
        # Over midnight: the early hours belong to the day before. Equal ends are the whole day.
        early = now < self.until and (day - 1) % 7 in self.days
        return early or (now >= self.since and day in self.days)


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings of alerts; times in seconds."""

    enabled: bool = True
    recover_after_s: float = RECOVER_AFTER * 60
    cool_down_s: float = COOL_DOWN * 60
    zone: tzinfo | None = None
    """``None``: the machine's own."""
    quiet: tuple[Quiet, ...] = ()
    ladder: tuple[Rung, ...] = ()

    def is_quiet(self, ns: int) -> bool:
        """Whether a time, in ns since the epoch, lies in quiet hours."""
        if not self.quiet:
            return False
        moment = datetime.fromtimestamp(ns / 1e9, self.zone)
        return any(each.covers(moment) for each in self.quiet)


def terms_of(settings: Mapping[str, Any]) -> Terms:
    """Return the table ``[alerts]`` of settings that check out."""
    ladder = sorted(map(_rung, settings.get("ladder", ())), key=lambda rung: rung.after_s)
    return Terms(
        enabled=settings.get("enabled", True),
        recover_after_s=settings.get("recover_after", RECOVER_AFTER) * 60,
        cool_down_s=settings.get("cool_down", COOL_DOWN) * 60,
        zone=zone_of(settings.get("time_zone", "")),
        quiet=tuple(map(_quiet, settings.get("quiet", ()))),
        ladder=tuple(ladder),
    )


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name; ``None``, the machine's own, where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _rung(table: Mapping[str, Any]) -> Rung:
    return Rung(
        after_s=table["after"] * 60,
        sinks=tuple(table.get("sinks", ())),
        least=Severity(table.get("least", "warning")),
        does=table.get("do", ""),
    )


def _quiet(table: Mapping[str, Any]) -> Quiet:
    days = tuple(DAYS.index(day) for day in table.get("days", DAYS))
    return Quiet(time.fromisoformat(table["from"]), time.fromisoformat(table["to"]), days)
