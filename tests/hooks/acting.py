"""Events for the tests of the guards, and how one is asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.model.budget import Budget
from pointsman.model.decision import Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreEdit, PreToolUse
from pointsman.model.hook import Hook, HookContext


def identity(root: Path, agent: str = "", cwd: str | None = None) -> Identity:
    return Identity(
        host="claude-code",
        session="s",
        agent_id=f"{agent}-1" if agent else None,
        agent_type=agent or None,
        cwd=str(root) if cwd is None else cwd,
        repository=str(root),
    )


def edit(who: Identity, path: str, tool: str = "Write", /, **given: Any) -> PreEdit:
    values = given or {"file_path": path, "content": ""}
    return PreEdit(identity=who, tool_name=tool, tool_input=values, files=(path,))


def bash(who: Identity, command: str) -> PreToolUse:
    return PreToolUse(identity=who, tool_name="Bash", tool_input={"command": command})


def asking(hook: Hook) -> Callable[[Event], Decision | None]:
    def ask(event: Event) -> Decision | None:
        answer = hook.run(event, HookContext(budget=Budget.of(5.0)))
        assert answer is None or isinstance(answer, Decision)
        return answer

    return ask
