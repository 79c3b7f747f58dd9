"""Approvals to make up: a clock that is set by hand, a store on it, and questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pointsman.engine.approval import bind
from pointsman.model.approval import Approval, Moment, State, Terms
from pointsman.model.event import Identity
from pointsman.store.approvals import Approvals

MINUTE = 60.0
WHO = Identity(host="claude-code", session="s", cwd="/repo", repository="/repo")


@dataclass
class Clock:
    """Both clocks of a machine; ``wall`` may be set alone, as somebody might."""

    now: Moment = field(default_factory=lambda: Moment(10**18, 10**12, "boot"))

    def __call__(self) -> Moment:
        return self.now

    def pass_by(self, seconds: float) -> None:
        ns = int(seconds * 1e9)
        self.now = Moment(self.now.wall_ns + ns, self.now.boot_ns + ns, self.now.boot)

    def set(self, seconds: float) -> None:
        """Move the wall clock alone."""
        self.now = replace(self.now, wall_ns=self.now.wall_ns + int(seconds * 1e9))

    def restart(self) -> None:
        self.now = replace(self.now, boot_ns=10**9, boot=self.now.boot + "'")


def store_in(folder: Path, clock: Clock | None = None) -> Approvals:
    return Approvals(folder / "approvals.db", clock or Clock())


def question(
    name: str = "aaaa2222",
    state: State = State.WAITING,
    tool_input: Mapping[str, Any] | None = None,
    *,
    who: Identity = WHO,
    by: str = "session",
    now: Moment | None = None,
    **more: Any,
) -> Approval:
    """Make a question as the desk does."""
    given = {"command": "git commit --amend"} if tool_input is None else tool_input
    wall = (now or Clock().now).wall_ns
    terms = more.pop("terms", Terms())
    values: dict[str, Any] = {
        "id": name,
        "state": state,
        "binding": bind(who, "Bash", given, ("command.git-rewrite",), by),
        "terms": terms,
        "rule": "command.git-rewrite",
        "hook": "command-safety",
        "reason": "it rewrites a commit.",
        "cause": "violation",
        "input": given,
        "session": who.session,
        "call": "call",
        "created_ns": wall,
        "wait_until_ns": wall + int(terms.wait * 1e9),
    }
    return Approval(**values | more)
