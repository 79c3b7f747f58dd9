"""What a tool call of the real Claude Code takes with our hooks, against one without any.

The model is scripted (``tests/host``): a round trip is the time from the answer that asks for a
tool to the request that brings its result, as the server sees it.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench.figures import BenchError, Figure, median, percentile, ratio, rounded
from bench.rig import Effort

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from host.install import claude_code
from host.messages_api import MessagesApi, Request, ToolUse, bash
from host.pointsman_session import Guarded, guarded
from host.session import Claude
from host.unavailable import RigError

_GOAL = 1.10
_PROMPT = "Begin. SCRIPT=main"
_TOOLS = ("Bash", "Read")


class TimedApi(MessagesApi):
    """The scripted model, with the time of every answer and of every request."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[int, float] = {}
        self.came: dict[int, float] = {}

    def take(self, path: str, body: Mapping[str, object]) -> tuple[Request, int]:
        """Note when a request came."""
        now = time.perf_counter()
        request, serial = super().take(path, body)
        if request.script:
            self.came[request.turn] = now
        return request, serial

    def say(self, request: Request) -> list[dict[str, object]]:
        """Note when an answer goes out."""
        blocks = super().say(request)
        if request.script:
            self.said[request.turn] = time.perf_counter()
        return blocks

    def trips(self) -> dict[int, float]:
        """Return the milliseconds of each turn's round trip, and forget them."""
        pairs = {turn: self.came.get(turn + 1) for turn in self.said}
        trips = {
            turn: (came - self.said[turn]) * 1e3 for turn, came in pairs.items() if came is not None
        }
        self.said, self.came = {}, {}
        return trips


def round_trip(effort: Effort) -> list[Figure]:
    """Run sessions with and without our hooks in turn, and compare the medians."""
    calls, sessions = effort.of(20, 5), effort.of(4, 1)
    try:
        plain, ours = _sessions(calls, sessions)
    except RigError as error:
        return [_missing(tool, f"the real client cannot be had here: {error}") for tool in _TOOLS]
    return [_figure(tool, plain[tool], ours[tool]) for tool in _TOOLS]


def _sessions(calls: int, sessions: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    binary = claude_code()
    plain: dict[str, list[float]] = {tool: [] for tool in _TOOLS}
    ours: dict[str, list[float]] = {tool: [] for tool in _TOOLS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pm-bench-")))
        api = stack.enter_context(TimedApi())
        bare = stack.enter_context(Claude(folder / "bare", folder / "home-bare", api, binary))
        under = stack.enter_context(Claude(folder / "under", folder / "home-under", api, binary))
        project = stack.enter_context(guarded(under))
        project.init()
        _ask(bare, api, 2, {})
        _ask(under, api, 2, project.env)
        for _ in range(sessions):
            _add(plain, _ask(bare, api, calls, {}))
            _add(ours, _ask(under, api, calls, project.env))
        _check_recorded(project, (calls * sessions + 2) * len(_TOOLS))
    return plain, ours


def _ask(claude: Claude, api: TimedApi, calls: int, env: Mapping[str, str]) -> dict[int, float]:
    """Run one session in which each tool is called so many times, in turn."""
    file = claude.workdir / "notes.txt"
    file.write_text("one line\n", encoding="utf-8")
    turns = [bash("git --version"), ToolUse("Read", {"file_path": str(file)})] * calls
    api.script("main", *turns, "all done")
    result = claude.run(_PROMPT, env=env, timeout=300)
    trips = api.trips()
    if result.returncode or len(trips) != len(turns):
        raise BenchError(f"a session of {len(turns)} calls had {len(trips)}: {result.stderr}")
    wrong = [each for each in result.tool_results.values() if each.is_error]
    if wrong:
        raise BenchError(f"a call failed: {wrong[0].text}")
    return trips


def _add(samples: dict[str, list[float]], trips: Mapping[int, float]) -> None:
    for turn, took in trips.items():
        samples[_TOOLS[turn % len(_TOOLS)]].append(took)


def _check_recorded(project: Guarded, expected: int) -> None:
    found = len(project.rows("--event", "PreToolUse"))
    if found != expected:
        raise BenchError(f"{expected} calls were made under Pointsman, {found} are on record")


def _figure(tool: str, plain: list[float], ours: list[float]) -> Figure:
    mine, other = median(ours), median(plain)
    return Figure(
        name=_name(tool),
        what=_what(tool),
        unit="x",
        value=ratio(mine, other),
        goal=_GOAL,
        detail={
            "with_ms": rounded(mine),
            "without_ms": rounded(other),
            "with_p90_ms": rounded(percentile(ours, 0.9)),
            "without_p90_ms": rounded(percentile(plain, 0.9)),
            "calls_each": len(ours),
        },
    )


def _missing(tool: str, reason: str) -> Figure:
    return Figure(name=_name(tool), what=_what(tool), unit="x", goal=_GOAL, reason=reason)


def _name(tool: str) -> str:
    return f"round trip of {tool}"


def _what(tool: str) -> str:
    return f"a {tool} call of the real Claude Code with our hooks against one without hooks, p50"
