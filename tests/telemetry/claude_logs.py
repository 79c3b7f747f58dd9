"""Log records as Claude Code 2.1.330 sends them, reduced to the attributes that matter here."""

from typing import Any

AT = "1700000000000000000"


def record(name: str, session: str = "s1", **said: Any) -> dict[str, Any]:
    """Return one log record; a value that is no text is sent as what it is."""
    given = {"session.id": session, "event.name": name, **said}
    return {
        "timeUnixNano": AT,
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": [{"key": key, "value": _typed(value)} for key, value in given.items()],
    }


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    """Return a message with these."""
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": list(records)}]}]}


def session() -> dict[str, Any]:
    """Return a message of one short session: a call that ended, one refused, a hook cancelled."""
    return logs(
        record("user_prompt", prompt="<REDACTED>", prompt_length="24"),
        record("hook_execution_complete", hook_event="PreToolUse", num_hooks="2", num_success="1",
               num_blocking="0", num_non_blocking_error="0", num_cancelled="1"),
        record("hook_execution_complete", hook_event="Stop", num_hooks=1, num_cancelled=1),
        record("tool_decision", decision="accept", tool_name="Bash", tool_use_id="t1"),
        record("tool_result", tool_name="Bash", tool_use_id="t1", success="true",
               agent_id="a1", tool_input='{"command":"echo secret"}'),
        record("tool_decision", decision="reject", tool_name="Bash", tool_use_id="t2"),
        record("api_request", input_tokens="12", output_tokens="60", cache_read_tokens="18000",
               cache_creation_tokens=1500, cost_usd_micros="12348"),
        record("plugin_loaded"),
    )  # fmt: skip


def _typed(value: Any) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
