"""Quiet hours, by the clock of a place."""

from datetime import UTC, datetime

import pytest

from pointsman.alerts.terms import DAYS, terms_of
from pointsman.config import alert_settings
from pointsman.model.alert import Severity


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


NIGHT = {"from": "22:00", "to": "07:00"}
ROWS = [
    # 2026-06-01 is a Monday; Berlin is two hours ahead of UTC then, one in January.
    ({**NIGHT}, "UTC", "2026-06-01T21:59:59", False),
    ({**NIGHT}, "UTC", "2026-06-01T22:00:00", True),
    ({**NIGHT}, "UTC", "2026-06-02T06:59:59", True),
    ({**NIGHT}, "UTC", "2026-06-02T07:00:00", False),
    ({**NIGHT}, "Europe/Berlin", "2026-06-01T20:00:00", True),
    ({**NIGHT}, "Europe/Berlin", "2026-01-05T20:30:00", False),
    ({**NIGHT}, "Europe/Berlin", "2026-01-05T21:00:00", True),
    ({**NIGHT, "days": ["fri"]}, "UTC", "2026-06-05T23:00:00", True),
    ({**NIGHT, "days": ["fri"]}, "UTC", "2026-06-06T03:00:00", True),
    ({**NIGHT, "days": ["fri"]}, "UTC", "2026-06-05T03:00:00", False),
    ({**NIGHT, "days": ["fri"]}, "UTC", "2026-06-06T23:00:00", False),
    ({"from": "12:00", "to": "13:00"}, "UTC", "2026-06-01T12:30:00", True),
    ({"from": "12:00", "to": "13:00"}, "UTC", "2026-06-01T13:00:00", False),
    ({"from": "00:00", "to": "00:00", "days": ["sun"]}, "UTC", "2026-06-07T15:00:00", True),
    ({"from": "00:00", "to": "00:00", "days": ["sun"]}, "UTC", "2026-06-08T15:00:00", False),
]


@pytest.mark.parametrize(("table", "zone", "at", "quiet"), ROWS)
def test_quiet_hours(table: dict[str, object], zone: str, at: str, quiet: bool) -> None:
    terms = terms_of({"quiet": [table], "time_zone": zone})
    assert terms.is_quiet(ns(at)) is quiet


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert not terms_of({}).is_quiet(0)


def test_the_ladder_is_in_the_order_of_time() -> None:
    terms = terms_of({
        "ladder": [
            {"after": 30, "do": "stop-agent", "least": "critical"},
            {"after": 0.5, "sinks": ["phone"]},
        ],
        "recover_after": 5,
        "cool_down": 1,
    })  # fmt: skip
    assert [(each.after_s, each.sinks, each.does, each.least) for each in terms.ladder] == [
        (30, ("phone",), "", Severity.WARNING),
        (1800, (), "stop-agent", Severity.CRITICAL),
    ]
    assert (terms.recover_after_s, terms.cool_down_s) == (300, 60)


def test_settings_and_senders_know_the_same_kinds() -> None:
    from pointsman.alerts.sinks.all_sinks import SENDERS
    from pointsman.model.alerting import DOES

    assert tuple(SENDERS) == alert_settings.KINDS
    assert alert_settings._RUNG.keys["do"].choices == DOES  # type: ignore[attr-defined]
    assert alert_settings._DAYS == DAYS
