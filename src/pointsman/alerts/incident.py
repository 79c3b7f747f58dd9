"""What the record says about an alert: what happened, what may have caused it, what it has cost.

Pure, and from the record alone: rows of the ledger and of the alerts in, one JSON object out. What
is not on record is not guessed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pointsman.alerts.prevention import prevention

MOST_LINES = 80
"""Lines of the timeline."""
_NEAR_S = 600
"""Seconds before the alert in which a change of context or model counts as near."""
_OFTEN = 3
_OWN_FAILURE = "our own failure"
_MARKS = frozenset(
    {"SessionStart", "SessionEnd", "UserPromptSubmit", "SubagentStart", "SubagentStop"}
    | {"PreCompact", "PostModelSwitch", "PermissionDenied", "PostToolUseFailure"}
    | {"WatchFinding", "ErrorEscalation", "StopFailure"}
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is about an alert: rows as ``pointsman ledger query --json`` prints them.

    ``alert`` and ``others`` are alerts, ``history`` the changes and ``holds`` the stops, as JSON;
    ``cost`` what models have used in the time (``tokens``, ``usd`` or null, ``unpriced``).
    """

    alert: Row
    history: Sequence[Row] = ()
    holds: Sequence[Row] = ()
    rows: Sequence[Row] = ()
    others: Sequence[Row] = ()
    cost: Row = field(default_factory=dict)
    cut: bool = False
    """Whether there were more rows than were read."""


def incident(found: Found) -> dict[str, Any]:
    """Return the draft of a post-mortem."""
    alert = found.alert
    timeline = _timeline(found)
    return {
        "alert": alert["number"],
        "title": f"{alert['detector']}: {alert['summary']}",
        "state": alert["state"],
        "severity": alert["severity"],
        "session": alert["session"],
        "agent": alert["agent"],
        "repository": alert["repository"],
        "timeline": timeline,
        "timeline_cut": found.cut or len(timeline) == MOST_LINES,
        "detection": _detection(found),
        "causes": causes(found),
        "impact": _impact(found),
        "resolution": _resolution(found),
        "prevention": prevention(alert),
    }


# --- what happened --------------------------------------------------------------------------------


def _timeline(found: Found) -> list[dict[str, Any]]:
    shows = set(found.alert["seqs"])
    lines = [
        *(_line(row, row["seq"] in shows) for row in found.rows if _matters(row, shows)),
        *(_changed(each, found.alert["number"]) for each in found.history),
        *(_held(each) for each in found.holds),
    ]
    lines = _together(sorted(lines, key=lambda line: (line["time"], line["seq"] or 0)))
    if len(lines) <= MOST_LINES:
        return lines
    # What shows it, and what is nearest to it in time.
    at = _at(found.alert["opened"])
    near = sorted(lines, key=lambda line: (not line["shows"], abs(_at(line["time"]) - at)))
    kept = {id(line) for line in near[:MOST_LINES]}
    return [line for line in lines if id(line) in kept]


def _matters(row: Row, shows: set[int]) -> bool:
    return (
        row["seq"] in shows
        or (row["event"] in _MARKS)
        or (row["decision"] in {"deny", "ask"} and row["event"] != "PreEdit")
    )


def _line(row: Row, shows: bool) -> dict[str, Any]:
    what = row["event"] + (f" {row['tool']}" if row["tool"] else "")
    if row["path"]:
        what += f" {row['path']}"
    if row["event"] in {"WatchFinding", "ErrorEscalation"}:
        what += f" {row['rule']}"
    if row["decision"] != "none":
        what += f": {row['decision']} by {row['rule'] or row['hook']}"
    said = " ".join(str(row["reason"]).split())[:240]
    return {
        "time": row["time"], "seq": row["seq"], "agent": row["agent"], "what": what,
        "said": said, "times": 1, "shows": shows,
    }  # fmt: skip


def _changed(change: Row, number: int) -> dict[str, Any]:
    what = f"alert {number}: {change['before']} → {change['after']}, by {change['by']}"
    return {
        "time": change["time"], "seq": None, "agent": "", "what": what, "said": change["text"],
        "times": 1, "shows": False,
    }  # fmt: skip


def _held(hold: Row) -> dict[str, Any]:
    who = f"agent {hold['agent_id']}" if hold["agent_id"] else "the session"
    return {
        "time": hold["since"], "seq": None, "agent": "",
        "what": f"{hold['kind']}: {who}, by {hold['by']}", "said": hold["reason"], "times": 1,
        "shows": False,
    }  # fmt: skip


def _together(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one line of the same that comes several times in a row."""
    out: list[dict[str, Any]] = []
    for line in lines:
        last = out[-1] if out else None
        same = last and (last["what"], last["agent"]) == (line["what"], line["agent"])
        if last and same and line["seq"] and not (line["shows"] and not last["shows"]):
            last["times"] += 1
            last["last_seq"] = line["seq"]
        else:
            out.append(line)
    return out


# --- how it was found -----------------------------------------------------------------------------


def _detection(found: Found) -> dict[str, Any]:
    alert = found.alert
    shown = [row for row in found.rows if row["seq"] in set(alert["seqs"])]
    first = min((_at(row["time"]) for row in shown), default=None)
    acks = [each for each in found.history if each["after"] == "acknowledged"]
    opened = _at(alert["opened"])
    return {
        "by": alert["detector"],
        "figures": alert["figures"],
        "seqs": list(alert["seqs"]),
        "opened": alert["opened"],
        "seen": alert["seen"],
        "count": alert["count"],
        "seconds_to_find": None if first is None else round(max(0.0, opened - first), 3),
        "seconds_to_answer": round(_at(acks[0]["time"]) - opened, 3) if acks else None,
        "escalated": sum(each["after"] == "escalated" for each in found.history),
    }


# --- why, perhaps ---------------------------------------------------------------------------------

_Rule = Callable[[Found, Sequence[Row]], Iterator[tuple[str, int, Sequence[int]]]]


def causes(found: Found) -> list[dict[str, Any]]:
    """Return candidates, the likeliest first.

    Each rule below has its points; how often what it looks for is on record adds up to one more.
    Only what came before the alert counts, of the agent that it is about where it names one.
    """
    opened, agent = _at(found.alert["opened"]), found.alert["agent_id"]
    before = [
        row
        for row in found.rows
        if _at(row["time"]) <= opened and (agent is None or row["agent_id"] in {agent, None})
    ]
    out = [
        {
            "rule": name,
            "points": round(points + min(count, 10) / 10, 1),
            "text": text,
            "seqs": list(seqs)[-10:],
        }
        for name, points, rule in RULES
        for text, count, seqs in rule(found, before)
    ]
    return sorted(out, key=lambda each: -float(str(each["points"])))


def _unguarded(_found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rules = {"escalation.command-without-a-hook", "watch.unguarded"}
    rows = [row for row in before if row["rule"] in rules]
    if rows:
        yield f"{len(rows)} commands ran without their hook", len(rows), _seqs(rows)


def _own(_found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["cause"] == _OWN_FAILURE and row["decision"] == "deny"]
    for hook, several in _by(rows, "hook").items():
        text = f"Pointsman itself stopped {len(several)} calls: {hook} failed, not the agent"
        yield text, len(several), _seqs(several)


def _shown(found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["seq"] in set(found.alert["seqs"])]
    if rows:
        last = rows[-1]
        what = " ".join(filter(None, (last["event"], last["tool"], last["path"])))
        text = f"what {found.alert['detector']} was found in: {what}, by {last['agent']}"
        yield text, int(found.alert["count"]), _seqs(rows)


def _denied(_found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [
        row
        for row in before
        if row["decision"] == "deny" and row["cause"] != _OWN_FAILURE and row["event"] != "PreEdit"
    ]
    for rule, several in _by(rows, "rule").items():
        if len(several) >= _OFTEN:
            text = f"the agent ran {len(several)} times against {rule} and found no other way"
            yield text, len(several), _seqs(several)


def _failing(_found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["event"] == "PostToolUseFailure"]
    for tool, several in _by(rows, "tool").items():
        if len(several) >= _OFTEN:
            yield f"{tool} failed {len(several)} times", len(several), _seqs(several)


def _earlier(found: Found, _before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    for other in found.others:
        if other["number"] != found.alert["number"] and other["opened"] < found.alert["opened"]:
            text = f"alert {other['number']} came before it: {other['detector']}: "
            yield text + str(other["summary"])[:200], 1, other["seqs"]


def _compacted(found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["event"] == "PreCompact" and _near(found, row)]
    if rows:
        yield "the context was compacted shortly before: what was known may be lost", 1, _seqs(rows)


def _switched(found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["event"] == "PostModelSwitch" and _near(found, row)]
    if rows:
        yield "the model was switched shortly before", 1, _seqs(rows)


def _task(_found: Found, before: Sequence[Row]) -> Iterator[tuple[str, int, Sequence[int]]]:
    rows = [row for row in before if row["event"] == "UserPromptSubmit"]
    if rows:
        text = f"the task that it was at: pointsman ledger show {rows[-1]['seq']}"
        yield text, 1, _seqs(rows[-1:])


RULES: tuple[tuple[str, float, _Rule], ...] = (
    ("unguarded", 6, _unguarded),
    ("own-failure", 5, _own),
    ("shown", 4, _shown),
    ("denied", 3, _denied),
    ("failing", 3, _failing),
    ("earlier-alert", 2, _earlier),
    ("compaction", 2, _compacted),
    ("model-switch", 2, _switched),
    ("task", 1, _task),
)
"""What is looked for, and its points. First what took the guards away, then what we broke
ourselves, then what the detector names, what stood in the agent's way, what changed around it."""


# --- what it came to ------------------------------------------------------------------------------


def _impact(found: Found) -> dict[str, Any]:
    rows = found.rows
    calls = [row for row in rows if row["event"] == "PreToolUse"]
    ran = {row["tool_use_id"] for row in rows if row["event"] == "PostToolUse"}
    edits = [row for row in rows if row["event"] == "PreEdit" and row["path"]]
    changed = {row["path"] for row in edits if row["tool_use_id"] in ran}
    stopped = {row["path"] for row in edits if row["decision"] == "deny"}
    return {
        "files_changed": sorted(changed),
        "files_kept": sorted(stopped - changed),
        "put_back": sum(row["rule"] == "escalation.outside-contract" for row in rows),
        "calls": len(calls),
        "denied": sum(row["decision"] == "deny" for row in calls),
        "failed": sum(row["event"] == "PostToolUseFailure" for row in rows),
        "agents": sorted({row["agent"] for row in calls}),
        **{key: found.cost.get(key) for key in ("tokens", "usd", "unpriced")},
    }


def _resolution(found: Found) -> dict[str, Any]:
    last = found.history[-1] if found.history else None
    over = last is not None and last["after"] == "recovered"
    people = [each for each in found.history if each["after"] in {"acknowledged", "recovered"}]
    return {
        "over": over,
        "how": str(last["text"]) if last is not None and over else "",
        "by": str(last["by"]) if last is not None and over else "",
        "after_s": round(_at(last["time"]) - _at(found.alert["opened"]), 3)
        if last is not None and over
        else None,
        "answers": [
            {"by": each["by"], "what": each["after"], "text": each["text"]} for each in people
        ],
        "stops": [dict(each) for each in found.holds],
    }


def _by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(row[key], []).append(row)
    order = Counter({name: len(several) for name, several in out.items()})
    return {name: out[name] for name, _ in order.most_common(3)}


def _seqs(rows: Iterable[Row]) -> list[int]:
    return [row["seq"] for row in rows]


def _near(found: Found, row: Row) -> bool:
    return _at(found.alert["opened"]) - _at(row["time"]) <= _NEAR_S


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
