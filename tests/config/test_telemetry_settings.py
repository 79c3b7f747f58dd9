"""What may stand under [telemetry], and what is said of the rest."""

from typing import Any

import pytest

from pointsman.config.telemetry_settings import SINKS, TELEMETRY
from pointsman.telemetry.all_sinks import KINDS
from pointsman.telemetry.to_otlp import SIGNALS as OTLP_SIGNALS

SINK = {"name": "a", "kind": "otlp", "to": "http://127.0.0.1:4318"}


def faults(given: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    TELEMETRY.check(
        given, (), lambda at, _value, why, _fix: found.append((".".join(map(str, at)), why))
    )
    return found


@pytest.mark.parametrize(
    "given",
    [
        {"sinks": [SINK]},
        {"sinks": [{**SINK, "signals": ["traces"], "headers": {"authorization": "file:/x"}}]},
        {"sinks": [{"name": "f", "kind": "file", "to": "/x/y.jsonl", "max_mb": 1, "keep": 2}]},
        {"sinks": [{"name": "w", "kind": "webhook", "to": "https://x/y", "decisions": ["deny"]}]},
        {"prometheus": True, "receive": True, "port": 9464, "backfill_hours": 24},
    ],
)
def test_what_may_stand_there(given: dict[str, Any]) -> None:
    assert faults(given) == []


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"sinks": [{**SINK, "to": "ftp://x"}]}, "sinks.0.to"),
        ({"sinks": [{**SINK, "to": "http://user:pass@x"}]}, "sinks.0.to"),
        ({"sinks": [{**SINK, "kind": "kafka"}]}, "sinks.0.kind"),
        ({"sinks": [{**SINK, "name": "a b"}]}, "sinks.0.name"),
        ({"sinks": [SINK, SINK]}, "sinks.1.name"),
        ({"sinks": [{"name": "a", "kind": "otlp"}]}, "sinks.0.to"),
        ({"sinks": [{**SINK, "signals": []}]}, "sinks.0.signals"),
        ({"sinks": [{**SINK, "secret_file": "relative"}]}, "sinks.0.secret_file"),
        ({"sinks": [{**SINK, "timeout": 0}]}, "sinks.0.timeout"),
        ({"port": 70_000}, "port"),
        ({"elsewhere": True}, "elsewhere"),
    ],
)
def test_what_may_not(given: dict[str, Any], at: str) -> None:
    assert [where for where, _ in faults(given)] == [at]


def test_the_settings_know_every_kind_that_there_is() -> None:
    assert set(SINKS) == set(KINDS)
    assert set(OTLP_SIGNALS) == {"traces", "metrics", "logs"}
