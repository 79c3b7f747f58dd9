"""A sum over all time never goes down, whatever retention removes."""

from pathlib import Path

from pointsman.model.decision import deny
from pointsman.model.hook import Outcome
from pointsman.store import totals
from pointsman.store.ledger import Ledger
from pointsman.store.query import opened

from .records import record, run

DAY = 86_400 * 10**9


def test_sums_stay_while_events_go(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    runs = (run(), run("slow", outcome=Outcome.TIMED_OUT, duration_ns=10**9))
    for day in range(1, 6):
        ledger.append([
            record(f"a{day}", at=day * DAY, runs=runs),
            record(f"b{day}", at=day * DAY, decision=deny("no", rule="r"), tool="Write"),
        ])  # fmt: skip

    def read() -> tuple[object, ...]:
        with opened(path) as connection:
            counted = [(each.hook, each.outcome, each.bucket, each.runs, each.duration_ns)
                       for each in totals.runs(connection)]  # fmt: skip
            by = [totals.events(connection, name) for name in ("all", "event", "tool")]
            return sorted(counted), by

    before = read()
    assert before[0] == [("scope", "no opinion", 81, 5, 7_500_000),
                         ("slow", "timed out", 119, 5, 5 * 10**9)]  # fmt: skip
    while ledger.prune(4 * DAY, batch=3):
        assert read() == before
    assert read() == before
    ledger.append([record("c", at=6 * DAY, runs=runs)])
    with opened(path) as connection:
        assert totals.events(connection, "tool")["Bash"]["calls"] == 6
        assert totals.events(connection, "tool")["Write"]["denied"] == 5
        assert {each.hook: each.runs for each in totals.runs(connection)} == {"scope": 6, "slow": 6}
    ledger.close()
