"""The page is what Prometheus reads: its own parser reads it back."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointsman.model.telemetry import Family, Sample
from pointsman.telemetry.prometheus import name_of, text_of


def test_it_is_read_back_whatever_a_label_holds() -> None:
    odd = 'a"b\\c\nd ü'
    families = [
        Family(
            name="p.runs", kind="counter", doc="x\ny\\z", samples=(Sample((("hook", odd),), 3),)
        ),
        Family(name="p.cost", kind="counter", unit="USD", doc="d", samples=(Sample((), 0.25),)),
        Family(
            name="p.time", kind="histogram", unit="s", doc="d",
            samples=(Sample((("hook", "x"),), 6, ((0.1, 2), (1.0, 5)), 4.5),),
        ),
    ]  # fmt: skip
    runs, cost, time = text_string_to_metric_families(text_of(families))
    assert [(each.labels, each.value) for each in runs.samples] == [({"hook": odd}, 3.0)]
    assert runs.documentation == "x\ny\\z"
    assert (cost.name, cost.samples[0].name) == ("p_cost_usd", "p_cost_usd_total")
    found = {(each.name, each.labels.get("le")): each.value for each in time.samples}
    assert found == {
        ("p_time_seconds_bucket", "0.1"): 2.0,
        ("p_time_seconds_bucket", "1"): 5.0,
        ("p_time_seconds_bucket", "+Inf"): 6.0,
        ("p_time_seconds_sum", None): 4.5,
        ("p_time_seconds_count", None): 6.0,
    }


@pytest.mark.parametrize(
    ("name", "kind", "unit", "spelled"),
    [
        ("pointsman.hook.runs", "counter", "", "pointsman_hook_runs_total"),
        ("pointsman.hook.duration", "histogram", "s", "pointsman_hook_duration_seconds"),
        ("pointsman.cost", "counter", "USD", "pointsman_cost_usd_total"),
        ("pointsman.export.waiting", "gauge", "", "pointsman_export_waiting"),
    ],
)
def test_names_are_those_that_prometheus_asks_for(
    name: str, kind: str, unit: str, spelled: str
) -> None:
    assert name_of(Family(name=name, kind=kind, unit=unit, doc="")) == spelled
