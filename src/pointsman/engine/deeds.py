"""What of an event counts: who did it, for which task, and whether time goes on after it."""

from collections.abc import Mapping
from typing import Any

from pointsman.model.event import Event
from pointsman.model.events import (
    Notification,
    PostToolUse,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    StopFailure,
    SubagentStop,
    TaskCompleted,
    TeammateIdle,
    UserPromptSubmit,
)
from pointsman.model.limit import Deed

_RESTS = (Stop, StopFailure, SessionEnd, SubagentStop, TeammateIdle)
_TASK_OVER = "completed"


def deed_of(event: Event) -> Deed:
    """Return what has to be known of an event to count it."""
    who = event.identity
    return Deed(
        at_ns=event.received_ns,
        session=who.session,
        agent_id=who.agent_id,
        agent_type=who.agent_type,
        repository=who.repository,
        prompt_id=who.prompt_id or "",
        call=who.tool_use_id or f"{event.received_ns} {event.tool}",
        is_call=isinstance(event, PreToolUse),
        task=_task(event),
        rests=_rests(event),
        opens=isinstance(event, UserPromptSubmit | SessionStart) and who.agent_id is None,
    )


def _rests(event: Event) -> bool:
    if isinstance(event, Notification):
        return event.notification_type == "idle_prompt"
    # What has been started in the background goes on when its starter's turn is over.
    return isinstance(event, _RESTS) and not event.native.get("background_tasks")


def _task(event: Event) -> tuple[str, str]:
    if isinstance(event, TaskCompleted):
        return event.task_id, _TASK_OVER
    if isinstance(event, PostToolUse) and event.tool_name == "TaskUpdate":
        return task_update(event.tool_input)
    return "", ""


def task_update(given: Mapping[str, Any]) -> tuple[str, str]:
    """Return the task of an update and its new state, empty where it says none."""
    task, status = given.get("taskId"), given.get("status")
    return (task, status) if isinstance(task, str) and isinstance(status, str) else ("", "")
