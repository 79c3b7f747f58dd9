"""The draft of a post-mortem as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

_MOST_FILES = 40
_Draft = Mapping[str, Any]


def markdown(draft: _Draft) -> str:
    """Return a draft, to be finished by a person."""
    parts = (_head, _happened, _detection, _causes, _impact, _resolution, _prevention)
    return "\n".join(line for part in parts for line in part(draft)) + "\n"


def _head(draft: _Draft) -> Iterator[str]:
    yield f"# Incident: {_plain(draft['title'])[:200]}"
    yield ""
    yield (
        f"Alert {draft['alert']}, {draft['severity']}, {draft['state']} now. Agent "
        f"{draft['agent']}, session {draft['session'] or 'none'}, "
        f"{draft['repository'] or 'no repository'}."
    )
    yield "A draft from the record alone: what is not on record does not stand here."
    yield ""


def _happened(draft: _Draft) -> Iterator[str]:
    yield "## What happened"
    yield ""
    yield "| time (UTC) | event | who | what |"
    yield "|---|---|---|---|"
    for line in draft["timeline"]:
        last = f"-{line['last_seq']}" if line.get("last_seq") else ""
        seq = f"{line['seq']}{last}" if line["seq"] else ""
        mark = "**" if line["shows"] else ""
        times = f" ({line['times']} times)" if line["times"] > 1 else ""
        said = f": {_cell(line['said'])}" if line["said"] else ""
        what = f"{mark}{_cell(line['what'])}{mark}{times}{said}"
        yield f"| {line['time'][:19]} | {seq} | {line['agent']} | {what} |"
    if draft["timeline_cut"]:
        yield ""
        yield "There is more: `pointsman ledger query --session …`."
    yield ""


def _detection(draft: _Draft) -> Iterator[str]:
    found = draft["detection"]
    yield "## Detection"
    yield ""
    figures = ", ".join(f"{name} = {value}" for name, value in found["figures"].items())
    yield f"- Found by `{found['by']}`" + (f" with {figures}." if figures else ".")
    seqs = ", ".join(map(str, found["seqs"]))
    yield f"- Events that show it: {seqs or 'none are named'}. Seen {found['count']} times."
    if found["seconds_to_find"] is not None:
        yield f"- Found {found['seconds_to_find']:g} s after the first of them."
    if found["seconds_to_answer"] is None:
        yield "- Nobody took it up."
    else:
        yield f"- Taken up after {found['seconds_to_answer']:g} s."
    if found["escalated"]:
        yield f"- Passed on {found['escalated']} times, as nobody took it up in time."
    yield ""


def _causes(draft: _Draft) -> Iterator[str]:
    yield "## Root cause candidates"
    yield ""
    yield "Ranked by the rules of `docs/alerts.md`; a person decides which it was."
    yield ""
    for number, each in enumerate(draft["causes"], 1):
        seqs = f" (events {', '.join(map(str, each['seqs']))})" if each["seqs"] else ""
        points = f"Rule `{each['rule']}`, {each['points']:g} points"
        yield f"{number}. {_plain(each['text'])}{seqs}. {points}"
    if not draft["causes"]:
        yield "Nothing on record before the alert speaks for any."
    yield ""


def _impact(draft: _Draft) -> Iterator[str]:
    found = draft["impact"]
    yield "## Impact"
    yield ""
    yield (
        f"- {found['calls']} calls by {', '.join(found['agents']) or 'nobody'}: "
        f"{found['denied']} denied, {found['failed']} failed."
    )
    yield f"- Files changed: {_files(found['files_changed'])}."
    if found["files_kept"]:
        yield f"- Files that a denial kept: {_files(found['files_kept'])}."
    if found["put_back"]:
        yield f"- {found['put_back']} times changes were put back (`pointsman proof status`)."
    if found["tokens"] is not None:
        unpriced = f"; {found['unpriced']} messages have no price" if found["unpriced"] else ""
        usd = "cost unknown" if found["usd"] is None else f"${found['usd']:.4f}"
        yield f"- {found['tokens']} tokens, {usd}{unpriced}."
    yield ""


def _resolution(draft: _Draft) -> Iterator[str]:
    found = draft["resolution"]
    yield "## Resolution"
    yield ""
    if found["over"]:
        how = f": {_plain(found['how'])}" if found["how"] else ""
        yield f"- Over after {found['after_s']:g} s, by {found['by']}{how}."
    else:
        yield "- Not over yet."
    for each in found["answers"]:
        if each["what"] == "acknowledged":
            said = f": {_plain(each['text'])}" if each["text"] else ""
            yield f"- Taken up by {each['by']}{said}."
    for each in found["stops"]:
        who = f"agent {each['agent_id']}" if each["agent_id"] else "the session"
        why = f": {_plain(each['reason'])}" if each["reason"] else ""
        yield f"- {each['kind'].capitalize()} ({who}), by {each['by']}{why}."
    yield ""


def _prevention(draft: _Draft) -> Iterator[str]:
    yield "## Prevention"
    for each in draft["prevention"]:
        yield ""
        yield f"In {each['where']}: {each['why']}."
        yield ""
        yield "```"
        yield each["text"]
        yield "```"


def _files(paths: list[str]) -> str:
    if not paths:
        return "none"
    shown = ", ".join(f"`{path}`" for path in paths[:_MOST_FILES])
    more = f" and {len(paths) - _MOST_FILES} more" if len(paths) > _MOST_FILES else ""
    return f"{len(paths)} ({shown}{more})"


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    return " ".join(str(text).split())
