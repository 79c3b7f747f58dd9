"""The tasks of a session and which of them wait for which, in constant memory.

They are known from the calls that change them; a call that has not succeeded changes nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.event import Event
from pointsman.model.events import PostToolUse, SessionEnd, TaskCompleted
from pointsman.model.team import new_waits

_MOST_SESSIONS = 512
_MOST_TASKS = 1024
_MOST_BLOCKERS = 64
_OVER = frozenset({"completed", "deleted"})


@dataclass(slots=True)
class _Task:
    status: str = "pending"
    blocked_by: dict[str, None] = field(default_factory=dict)


_Session = OrderedDict[str, _Task]


class Tasks:
    """Remembers the tasks of each session."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def waits_for(self, session: str, task: str, more: Iterable[str] = ()) -> Sequence[str]:
        """Return the tasks that have to be done before this one and are not."""
        tasks: Mapping[str, _Task] = self._sessions.get(session, {})
        known = tasks.get(task, _Task()).blocked_by
        return tuple(
            name
            for name in dict.fromkeys((*known, *more))
            if tasks.get(name, _Task()).status not in _OVER
        )

    def round_of(self, session: str, waits: Iterable[tuple[str, str]]) -> Sequence[str]:
        """Return the round that these waits, each a task and its blocker, would close, or nothing.

        It leads from a task back to the same task.
        """
        tasks: Mapping[str, _Task] = self._sessions.get(session, {})
        new: dict[str, list[str]] = {}
        for task, blocker in waits:
            new.setdefault(task, []).append(blocker)
        for start in new:
            path = _way_back(start, tasks, new)
            if path:
                return path
        return ()

    def note(self, event: Event) -> None:
        """Learn from what was done to a task."""
        if isinstance(event, SessionEnd):
            self._sessions.pop(event.identity.session, None)
        elif isinstance(event, TaskCompleted) and event.task_id:
            self._task(event, event.task_id).status = "completed"
        elif isinstance(event, PostToolUse) and event.tool_name == "TaskUpdate":
            self._update(event, event.tool_input)

    def _update(self, event: Event, given: Mapping[str, Any]) -> None:
        name = given.get("taskId")
        if not isinstance(name, str):
            return
        if isinstance(given.get("status"), str):
            self._task(event, name).status = given["status"]
        for task, blocker in new_waits(given):
            known = self._task(event, task).blocked_by
            # Past that the task waits for those that are known, which is enough to hold it.
            if len(known) < _MOST_BLOCKERS:
                known[blocker] = None

    def _task(self, event: Event, name: str) -> _Task:
        tasks = self._sessions.setdefault(event.identity.session, OrderedDict())
        self._sessions.move_to_end(event.identity.session)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        task = tasks.setdefault(name, _Task())
        if len(tasks) > _MOST_TASKS:
            tasks.popitem(last=False)
        return task


def _way_back(start: str, tasks: Mapping[str, _Task], new: Mapping[str, list[str]]) -> list[str]:
    """Return a way from a task over what it waits for back to itself, the shortest."""
    came: dict[str, str] = {}
    # The list grows while it is walked: breadth first, so the way that is found is the shortest.
    waiting = [start]
    for name in waiting:
        known = tasks.get(name, _Task())
        for blocker in (*known.blocked_by, *new.get(name, ())):
            if blocker == start:
                path = [name]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return [*reversed(path), start]
            if blocker not in came:
                came[blocker] = name
                waiting.append(blocker)
    return []
