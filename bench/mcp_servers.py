"""How long a session's start takes with four MCP servers, each of which is probed.

Two over HTTP are of the official SDK, one of them in the revision with sessions (by its client's
choice, so that both eras are asked); two are children that the probe starts.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from bench import session_start
from bench.figures import BenchError, Figure, percentile, rounded
from bench.rig import Effort, Rig, rig
from pointsman.model.budget import DEFAULT_BUDGETS

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from mcp_health_room import rig as real

_GOAL_MS = 1000.0
_CHILD = Path(__file__).resolve().parent.parent / "tests/host/mcp_server.py"


def servers(effort: Effort) -> list[Figure]:
    """Measure it through a running daemon, without and with five domains of expertise."""
    four = "probed anew each time: two over HTTP (one with six sessions), two children"
    return [
        _measured(effort, "session start, four MCP servers, p95", four, domains=False),
        _measured(
            effort,
            "session start, five domains and four MCP servers, p95",
            f"five sheets of 600 lines among 2,000 files; {four}",
            domains=True,
        ),
    ]


def _measured(effort: Effort, name: str, what: str, *, domains: bool) -> Figure:
    with ExitStack() as stack:
        made = stack.enter_context(rig())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pm-bench-")))
        several = stack.enter_context(real.Rig(folder))
        ports = [several.server(program)[0] for program in ("legacy", "modern")]
        _declare(made, ports)
        if domains:
            session_start.fill(made)
        stack.enter_context(made.daemon())
        samples = [_start(made, number, domains=domains) for number in range(effort.of(40, 5))]
    detail = {
        "p50_ms": rounded(percentile(samples, 0.5)),
        "most_ms": rounded(max(samples)),
        "sessions": len(samples),
        "budget_ms": DEFAULT_BUDGETS["SessionStart"] * 1e3,
    }
    return Figure(
        name=name, what=what, unit="ms", value=percentile(samples, 0.95), goal=_GOAL_MS,
        detail=detail,
    )  # fmt: skip


def _declare(made: Rig, ports: list[int]) -> None:
    home = made.folder / "home"
    child = {"command": sys.executable, "args": ["-I", "-S", str(_CHILD)]}
    table = {
        **{f"http-{port}": {"type": "http", "url": f"http://127.0.0.1:{port}/mcp"}
           for port in ports},
        "child-a": child, "child-b": child,
    }  # fmt: skip
    (home / ".claude.json").write_text(json.dumps({"mcpServers": table}), encoding="utf-8")
    settings = made.places.user_config
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[mcp_health]\nfresh = 0.000001\n", encoding="utf-8")


def _start(made: Rig, number: int, *, domains: bool) -> float:
    payload = {
        "hook_event_name": "SessionStart", "session_id": f"s{number}", "source": "startup",
        "cwd": str(made.repository),
    }  # fmt: skip
    frame = made.frame(json.dumps(payload).encode())
    began = perf_counter()
    answer = made.ask(frame)
    took = (perf_counter() - began) * 1e3
    # Whoever is slow or down is named: silence says that all four have answered, and well.
    if answer.code != 0 or b"MCP servers" in answer.stdout:
        raise BenchError(f"a server was not well: {answer.stdout[:300]!r}")
    if domains:
        session_start.check(answer.stdout)
    return took
