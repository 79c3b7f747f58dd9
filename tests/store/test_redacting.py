from collections.abc import Sequence
from pathlib import Path

import pytest

from made_secrets import made
from pointsman.model.answer import Answer
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Identity, UnknownEvent
from pointsman.model.events import ConfigChange, PreEdit, PreToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.secrets import engine
from pointsman.secrets.redact import Redactor
from pointsman.store.record import Record, event_row, run_row
from pointsman.store.redacting import NAME, Redacting, covered

SECRET = made()["github"]
WHO = Identity(host="claude-code", session="s", cwd="/w")


class Kept:
    """A journal that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.later: list[tuple[int, int, Sequence[HookRun]]] = []

    def append(self, records: Sequence[Record]) -> list[int]:
        self.records += records
        return list(range(len(records)))

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        self.later.append((seq, first, runs))


def run(reason: str = "", *lines: str) -> HookRun:
    return HookRun(hook="h", role=Role.GUARD, kind="X", started_ns=1, duration_ns=1,
                   outcome=Outcome.DECIDED, budget=1.0, reason=reason, lines=lines)  # fmt: skip


def plain(text: str = "all is well") -> Record:
    event = UnknownEvent(name="X", identity=WHO)
    return Record(event=event, payload=b'{"a": "b"}', decision=Decision(action=None, reason=text))


@pytest.fixture
def redactor(tmp_path: Path) -> Redactor:
    return Redactor.of(tmp_path, {})


def test_a_record_without_any_goes_on_as_it_is(redactor: Redactor) -> None:
    kept = Kept()
    records = [plain(), plain("so it is")]
    assert Redacting(kept, redactor).append(records) == [0, 1]
    assert kept.records == records
    Redacting(kept, redactor).append([plain()])
    assert kept.records[-1].runs == ()


@pytest.mark.parametrize("beside", [0, 1, 5])
def test_one_among_many_is_covered(redactor: Redactor, beside: int) -> None:
    kept = Kept()
    Redacting(kept, redactor).append([*(plain() for _ in range(beside)), plain(SECRET), plain()])
    reasons = [record.decision.reason for record in kept.records]
    assert sum(reason.startswith("[redacted:github-pat:") for reason in reasons) == 1
    assert reasons.count("all is well") == beside + 1
    told = [run for record in kept.records for run in record.runs]
    assert [(each.hook, each.reason) for each in told] == [(NAME, "covered github-pat")]


@pytest.mark.parametrize("event", [
    UnknownEvent(name=f"X{SECRET}", identity=WHO, unknown=(SECRET,), problems=(f"a {SECRET}",)),
    PreToolUse(identity=WHO, tool_name=SECRET, tool_input={"file_path": f"/a/{SECRET}"}),
    ConfigChange(identity=WHO, file_path=f"/a/{SECRET}"),
    PreEdit(identity=WHO, tool_name="Write", files=(f"/a/{SECRET}", "/b")),
    PreToolUse(identity=Identity(host="h", session=SECRET, agent_type=SECRET), tool_name="A"),
])  # fmt: skip
def test_every_column_is_covered(redactor: Redactor, event: UnknownEvent) -> None:
    edit = PreEdit(identity=WHO, tool_name="Write", files=(f"/c/{SECRET}",))
    runs = (run(f"it says {SECRET}", "a", SECRET), run())
    record = Record(
        event=event,
        payload=f'{{"a": "{SECRET}"}}'.encode(),
        decision=Decision(action=Action.DENY, reason=SECRET, context=f"x {SECRET}"),
        runs=runs,
        answer=Answer(2, f'{{"r": "{SECRET}"}}'.encode(), f"no: {SECRET}\n".encode()),
        derived=(Record(event=edit, decision=Decision(action=None), runs=runs),),
    )
    out = covered(record, redactor)
    rows = [event_row(1, None, one) for one in (out, *out.derived)]
    rows += [run_row(1, n, each) for one in (out, *out.derived) for n, each in enumerate(one.runs)]
    assert SECRET not in repr(rows)
    assert SECRET.encode() not in out.payload + out.answer.stdout + out.answer.stderr
    assert [each.lines[0] for each in out.derived[0].runs[:1]] == ["a"]
    assert rows[0][0:2] == (1, 0)
    assert out.event.kind.startswith("X[redacted") or out.event.kind == event.kind
    assert out.runs[-1].hook == NAME
    assert covered(out, redactor) is out


def test_later_runs_are_covered_and_leave_room_for_our_own(redactor: Redactor) -> None:
    kept = Kept()
    Redacting(kept, redactor).append_runs(7, 3, [run(SECRET, f"x {SECRET}"), run("fine")])
    ((seq, first, runs),) = kept.later
    assert (seq, first) == (7, 4)
    assert SECRET not in repr(runs)
    assert runs[1] == run("fine")


def test_a_detector_that_is_gone_is_on_every_record(
    redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PACKAGE", "no_such_package_anywhere")
    kept = Kept()
    Redacting(kept, redactor).append([plain(), plain(SECRET)])
    assert [record.runs[-1].outcome for record in kept.records] == [Outcome.DEGRADED] * 2
    assert "searched by the built-in patterns" in kept.records[0].runs[-1].reason
    assert kept.records[1].decision.reason.startswith("[redacted:github-pat:")


@pytest.mark.parametrize("beside", [0, 2])
def test_what_the_client_tells_beside_the_payload_is_covered(
    redactor: Redactor, beside: int
) -> None:
    who = Identity(host="claude-code", cwd=f"/w/{SECRET}", repository=f"/w/{SECRET}")
    events = [UnknownEvent(name=f"X {SECRET}", identity=WHO), UnknownEvent(name="X", identity=who)]
    for event in events:
        kept = Kept()
        record = Record(event=event, payload=b"{}", decision=Decision(action=None))
        Redacting(kept, redactor).append([*(plain() for _ in range(beside)), record])
        assert SECRET not in str(event_row(1, None, kept.records[-1]))
        assert kept.records[-1].runs[-1].hook == NAME
