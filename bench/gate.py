"""What the second gate adds to a shell command: asked of the daemon, and held if it has to be."""

import json
from pathlib import Path

from bench.figures import BenchError, Figure, median, percentile, ratio, rounded
from bench.rig import Effort, Rig, rig
from bench.spawn import Program, once
from pointsman.paths.client_command import client_command

_SESSION = "bench-gate"
_COMMAND = ":"
_WARM = 5


def gate(effort: Effort) -> list[Figure]:
    """Measure ``pointsman-exec`` against the shell that it becomes, with the host's own text."""
    command = client_command()
    abouts = (
        ("gate / sh, p50 (no contract)", "main"),
        ("gate / sh, p50 (held to a contract)", "builder"),
    )
    if not command.native:
        reason = "the native pointsman-exec is not compiled in this environment"
        return [Figure(name=name, what=_WHAT, unit="x", reason=reason) for name, _ in abouts]
    client = str(Path(command.argv[0]).with_name("pointsman-exec"))
    with rig() as made, made.daemon():
        return [_one(made, effort, name, agent, client) for name, agent in abouts]


_WHAT = "a shell command that does nothing, through the second gate, against the same shell"


def _one(made: Rig, effort: Effort, name: str, agent: str, client: str) -> Figure:
    environ = {
        **made.environ,
        "SHELL": "/bin/bash",
        "CLAUDE_CODE_SESSION_ID": _SESSION,
    }
    text = _hosted(made)
    gated = Program((client, text), Path("/dev/null"), environ)
    plain = Program(("/bin/bash", "-c", text), Path("/dev/null"), environ)
    ours: list[float] = []
    theirs: list[float] = []
    rounds = effort.of(200, 10) + _WARM
    for number in range(rounds):
        # The decision that the gate looks up is the hook's, and has been taken before.
        _tell(made, "PreToolUse", agent, number)
        ours.append(once(gated))
        _tell(made, "PostToolUse", agent, number)
        theirs.append(once(plain))
    (alone,) = made.recorded("SELECT count(*) FROM events WHERE transport = 'exec'")[0]
    if alone:
        raise BenchError(f"{alone} commands found no decision at the gate")
    ours, theirs = ours[_WARM:], theirs[_WARM:]
    return Figure(
        name=name,
        what=_WHAT,
        unit="x",
        value=ratio(median(ours), median(theirs)),
        detail={
            "added_us": rounded(median(ours) - median(theirs)),
            "added_p99_us": rounded(percentile(ours, 0.99) - percentile(theirs, 0.99)),
            "gated_us": rounded(median(ours)),
            "shell_us": rounded(median(theirs)),
            "runs": len(ours),
        },
    )


def _hosted(made: Rig) -> str:
    """Return the command as the host hands it to a shell, with what it does around it."""
    folder = made.folder / "tmp"
    return (
        f"source {folder}/snapshot.sh 2>/dev/null || true "
        f"&& eval '{_COMMAND}' < /dev/null && pwd -P >| {folder}/claude-bench-cwd"
    )


def _tell(made: Rig, kind: str, agent: str, number: int) -> None:
    """Deliver the hook event that goes before or behind a call.

    Raises:
        BenchError: it was stopped.
    """
    event = {
        "session_id": _SESSION,
        "hook_event_name": kind,
        "cwd": str(made.repository),
        "tool_name": "Bash",
        "tool_input": {"command": _COMMAND},
        "tool_use_id": f"{agent}-{number}",
    }
    if agent != "main":
        event |= {"agent_id": "a1", "agent_type": agent}
    answer = made.ask(made.frame(json.dumps(event).encode()))
    if answer.code:
        raise BenchError(f"{kind} was stopped: {answer.stderr.decode(errors='replace')}")
