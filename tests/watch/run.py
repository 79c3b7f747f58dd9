"""A session that is made up step by step, and what the detectors find in it."""

from collections.abc import Iterable
from typing import Any

from pointsman.model.alert import Finding, Severity
from pointsman.model.decision import NO_OPINION, Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import PostToolUse, PostToolUseFailure, PreToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.usage import Cost, Usage
from pointsman.watch.all_detectors import ALL
from pointsman.watch.watch import Watch

SECOND = 10**9
MINUTE = 60 * SECOND
START = 1_790_000_000 * SECOND


class Session:
    """One session before the detectors of these names, or before all."""

    def __init__(self, *names: str, **settings: Any) -> None:
        self.faults: list[str] = []
        rows = tuple(row for row in ALL if not names or row.name in names)
        self.watch = Watch(lambda name, _session, _error: self.faults.append(name), rows)
        self.settings = settings
        self.at = START
        self.seq = 0
        self.name = "s"
        self.found: list[Finding] = []

    def event(
        self,
        kind: type[Event],
        agent: str = "",
        *,
        decision: Decision = NO_OPINION,
        runs: Iterable[HookRun] = (),
        **more: Any,
    ) -> list[Finding]:
        """Let something happen, one second later."""
        self.at += SECOND
        self.seq += 1
        who: dict[str, Any] = {
            "session": self.name, "repository": "/repo",
            "agent_id": f"{agent}-id" if agent else None, "agent_type": agent or None,
            "tool_use_id": more.pop("call", f"t{self.seq}"),
        }  # fmt: skip
        for key in ("agent_id", "parent"):
            if key in more:
                who[key] = more.pop(key)
        made = kind(identity=Identity(host="h", **who), received_ns=self.at, **more)
        return self._add(self.watch.event(made, decision, tuple(runs), self.seq, self.settings))

    def call(
        self,
        tool: str = "Bash",
        result: Any = "",
        *,
        agent: str = "",
        error: str = "",
        **given: Any,
    ) -> list[Finding]:
        """Let a call run, and end with a result or an error."""
        given = given or {"command": "ls"}
        name = f"c{self.seq}"
        found = self.event(PreToolUse, agent, tool_name=tool, tool_input=given, call=name)
        values: dict[str, Any] = {"tool_name": tool, "tool_input": given, "call": name}
        if error:
            return found + self.event(PostToolUseFailure, agent, error=error, **values)
        return found + self.event(PostToolUse, agent, tool_response=result, **values)

    def bash(self, command: str, output: str = "", **more: Any) -> list[Finding]:
        """Let a shell command run."""
        return self.call("Bash", {"stdout": output, "stderr": ""}, command=command, **more)

    def write(self, path: str, content: str, **more: Any) -> list[Finding]:
        """Let a file be written."""
        return self.call("Write", {"filePath": path}, file_path=path, content=content, **more)

    def usage(
        self, tokens: int = 1000, usd: float | None = 0.01, *, agent: str = "", **more: Any
    ) -> list[Finding]:
        """Let a message use so much."""
        self.seq += 1
        values = {"output_tokens": tokens, "model": "m", "at_ns": self.at, **more}
        usage = Usage(
            host="h", session=self.name, message_id=f"m{self.seq}", repository="/repo",
            agent_id=f"{agent}-id" if agent else None, agent_type=agent or None, **values,
        )  # fmt: skip
        return self._add(self.watch.usage(usage, Cost(usd=usd, prices="1"), self.settings))

    def wait(self, minutes: float) -> list[Finding]:
        """Let time pass, and look at it."""
        self.at += int(minutes * MINUTE)
        return self._add(self.watch.tick(self.at))

    def _add(self, found: list[Finding]) -> list[Finding]:
        self.found += found
        return found

    def found_keys(self) -> list[str]:
        """Return the keys of everything that was found, in order."""
        return [finding.key for finding in self.found]

    def severities(self) -> list[Severity]:
        """Return how bad everything was."""
        return [finding.severity for finding in self.found]


def run(hook: str = "scope", outcome: Outcome = Outcome.NO_OPINION, **more: Any) -> HookRun:
    """Return what is recorded of one hook run."""
    values: dict[str, Any] = {
        "role": Role.GUARD, "kind": "PreToolUse", "started_ns": 0, "duration_ns": 10**6,
        "budget": 1.0, **more,
    }  # fmt: skip
    return HookRun(hook=hook, outcome=outcome, **values)
