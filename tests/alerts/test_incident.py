"""A post-mortem says what is on record, ranks by its rules, and advises what checks out."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pointsman.alerts.incident import MOST_LINES, RULES, Found, causes, incident
from pointsman.alerts.incident_text import markdown
from pointsman.alerts.prevention import CONTRACT, prevention
from pointsman.alerts.prevention import SETTINGS as FILE
from pointsman.alerts.sources import DAEMON, TRIGGERS
from pointsman.config.contracts import AGENTS, load_contracts
from pointsman.config.schema import SETTINGS
from pointsman.watch.all_detectors import ALL

DOCS = Path(__file__).parents[2] / "docs/alerts.md"


def at(seconds: float) -> str:
    return f"2026-06-01T12:{int(seconds) // 60:02}:{seconds % 60:09.6f}+00:00"


def alert(**more: Any) -> dict[str, Any]:
    return {
        "number": 2, "state": "recovered", "severity": "critical", "detector": "repetition",
        "summary": "the same Bash call 8 times", "agent": "main", "agent_id": None,
        "agent_type": None, "session": "s", "repository": "/r", "count": 3, "seqs": [50, 51],
        "figures": {"count": 8}, "opened": at(600), "seen": at(610), **more,
    }  # fmt: skip


def row(seq: int, event: str = "PreToolUse", **more: Any) -> dict[str, Any]:
    return {
        "seq": seq, "time": at(more.pop("at", 500)), "event": event, "agent": "main",
        "agent_id": None, "tool": "Bash", "path": "", "decision": "none", "rule": "", "hook": "",
        "cause": None, "reason": "", "tool_use_id": f"t{seq}", **more,
    }  # fmt: skip


def many(number: int, first: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [row(first + n, **more) for n in range(number)]


DENIED: dict[str, Any] = {"decision": "deny", "rule": "command.rm-tree", "reason": "no"}
OURS: dict[str, Any] = {**DENIED, "cause": "our own failure", "hook": "scope"}
CAUSES = {
    "nothing": ([], []),
    "what shows it": ([row(50), row(51)], ["shown"]),
    "denied often": (many(3, **DENIED), ["denied"]),
    "denied now and then": (many(2, **DENIED), []),
    "denied afterwards": (many(3, at=700, **DENIED), []),
    "denied by our failure": (many(3, **OURS), ["own-failure"]),
    "failing": (many(3, event="PostToolUseFailure"), ["failing"]),
    "the context": ([row(1, "PreCompact", at=100)], ["compaction"]),
    "the model": ([row(1, "PostModelSwitch", at=100)], ["model-switch"]),
    "the task": ([row(1, "UserPromptSubmit", at=1)], ["task"]),
    "unguarded": (
        [row(1, "ErrorEscalation", rule="escalation.command-without-a-hook")], ["unguarded"]
    ),
    "all of it": (
        [row(1, "UserPromptSubmit", at=1), row(2, "PreCompact", at=3), *many(3, 10, **DENIED),
         *many(1, 20, **OURS), row(50), row(51)],
        ["own-failure", "shown", "denied", "compaction", "task"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), CAUSES.values(), ids=CAUSES)
def test_causes(rows: list[dict[str, Any]], expected: list[str]) -> None:
    assert [each["rule"] for each in causes(Found(alert=alert(), rows=rows))] == expected


def test_a_context_that_was_compacted_long_before_is_no_cause() -> None:
    long_ago = alert(opened=at(2400), seen=at(2400), seqs=[])
    assert causes(Found(alert=long_ago, rows=[row(1, "PreCompact", at=100)])) == []


def test_what_others_did_is_no_cause_of_an_agents_alert() -> None:
    rows = many(3, **DENIED, agent_id="other")
    assert causes(Found(alert=alert(agent_id="a"), rows=rows)) == []
    mine = many(3, **DENIED, agent_id="a")
    assert [each["rule"] for each in causes(Found(alert=alert(agent_id="a"), rows=mine))] == [
        "denied"
    ]


def test_more_of_the_same_counts_for_more_and_never_for_another_rule() -> None:
    rows = [*many(30, 1, **DENIED), *many(4, 40, event="PostToolUseFailure"), row(51)]
    found = causes(Found(alert=alert(), rows=rows))
    assert [(each["rule"], each["points"]) for each in found] == [
        ("shown", 4.3), ("denied", 4.0), ("failing", 3.4),
    ]  # fmt: skip
    assert found[1]["seqs"] == list(range(21, 31))


def test_an_earlier_alert() -> None:
    others = [
        {**alert(), "number": 1, "detector": "same-error", "opened": at(300), "seqs": [4]},
        {**alert(), "number": 3, "opened": at(601)},
        alert(),
    ]
    (found,) = causes(Found(alert=alert(seqs=[]), others=others))
    assert (found["rule"], found["seqs"]) == ("earlier-alert", [4])
    assert "alert 1 came before it: same-error" in found["text"]


def whole() -> Found:
    edit = {"event": "PreEdit", "tool": "Edit"}
    return Found(
        alert=alert(),
        history=[
            {"time": at(seconds), "before": before, "after": after, "by": by, "text": text}
            for seconds, before, after, by, text in (
                (600, "ok", "critical", "repetition", "x"),
                (630, "critical", "acknowledged", "me", ""),
                (700, "acknowledged", "recovered", "me", "mended"),
            )
        ],
        holds=[{"kind": "agent stopped", "since": at(640), "agent_id": None, "by": "me",
                "reason": "enough | now"}],
        rows=[
            row(1, "UserPromptSubmit", at=1, tool=""),
            *many(4, 2, at=20, **DENIED),
            row(10, **edit, path="/r/a.py", tool_use_id="e"),
            row(11, "PostToolUse", tool="Edit", tool_use_id="e"),
            row(12, **edit, path="/r/b.py", decision="deny"),
            row(13, **edit, path="/r/c.py"),
            row(50, at=590), row(51, at=599),
        ],
        cost={"tokens": 1234, "usd": 0.5, "unpriced": 1},
    )  # fmt: skip


def test_the_draft() -> None:
    draft = incident(whole())
    impact = draft["impact"]
    assert (impact["files_changed"], impact["files_kept"]) == (["/r/a.py"], ["/r/b.py"])
    assert (impact["calls"], impact["denied"], impact["tokens"]) == (6, 4, 1234)
    assert draft["detection"]["seconds_to_find"] == 10
    assert draft["detection"]["seconds_to_answer"] == 30
    assert draft["resolution"]["over"]
    assert draft["resolution"]["after_s"] == 100
    whats = [line["what"] for line in draft["timeline"]]
    assert whats[:2] == ["UserPromptSubmit", "PreToolUse Bash: deny by command.rm-tree"]
    assert draft["timeline"][1]["times"] == 4
    assert [line["time"] for line in draft["timeline"]] == sorted(
        line["time"] for line in draft["timeline"]
    )


def test_the_draft_in_words() -> None:
    text = markdown(incident(whole()))
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == [
        "## What happened", "## Detection", "## Root cause candidates", "## Impact",
        "## Resolution", "## Prevention",
    ]  # fmt: skip
    assert "| 2026-06-01T12:00:20 | 2-5 | main | PreToolUse Bash: deny by command.rm-tree" in text
    assert "- Over after 100 s, by me: mended." in text
    assert "enough \\| now" in text, "a cell of the table stays one"
    assert "- 1234 tokens, $0.5000; 1 messages have no price." in text


def test_an_alert_of_which_nothing_is_on_record() -> None:
    text = markdown(incident(Found(alert=alert(session="", state="critical"))))
    assert "Nothing on record before the alert speaks for any." in text
    assert "- Not over yet." in text


def test_a_long_time_line_keeps_what_shows_it() -> None:
    rows = [row(n, at=n * 1.5, event="PostToolUseFailure", tool=f"T{n}") for n in range(1, 300)]
    found = Found(alert=alert(seqs=[3]), rows=rows)
    draft = incident(found)
    assert len(draft["timeline"]) == MOST_LINES
    assert draft["timeline"][0]["seq"] == 3
    assert draft["timeline_cut"]


def faults(text: str) -> list[Any]:
    found: list[Any] = []
    SETTINGS.check(tomllib.loads(text), (), lambda *said: found.append(said))
    return found


NAMES = sorted(
    {row.name for row in ALL} | {source.detector for source in TRIGGERS.values()} | {DAEMON}
)


@pytest.mark.parametrize("detector", NAMES)
@pytest.mark.parametrize("count", [1, 8, 10**6])
def test_what_is_advised_checks_out(detector: str, count: int) -> None:
    figures = {"count": count, "rule": "limit.session-usd"}
    steps = prevention(alert(detector=detector, figures=figures, agent_type="worker"))
    assert steps
    for step in steps:
        assert step["why"]
        if step["where"] != FILE:
            continue
        assert faults(step["text"]) == [], step["text"]


@pytest.mark.parametrize("detector", NAMES)
def test_lines_of_a_contract_are_read_as_one(tmp_path: Path, detector: str) -> None:
    steps = prevention(alert(detector=detector, figures={"count": 5}))
    lines = [step["text"] for step in steps if step["where"] == CONTRACT]
    for number, text in enumerate(lines):
        agents = tmp_path / AGENTS
        agents.mkdir(parents=True, exist_ok=True)
        name = f"builder{number}"
        (agents / f"{name}.md").write_text(f"---\nname: {name}\n{text}\n---\nYou build.\n")
        found = load_contracts(tmp_path)
        assert found.problems == [], text
        for contract in found.by_agent[name] if "contextContract" in text else ():
            assert contract.owns or contract.post_complete, text


def test_every_rule_is_described_as_it_is() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, points, _ in RULES:
        assert f"| `{name}` | {points:g} |" in text
