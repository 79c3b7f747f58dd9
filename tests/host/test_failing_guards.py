"""The host's fail-open table once more, for a guard behind us: the tool did not run."""

import textwrap
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .messages_api import MessagesApi, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

DENY = '{"decision": "deny", "reason": "no"}'
GUARD_ROWS = {
    "exit 0 plain text": "echo looks fine",
    "exit 1": "exit 1",
    "exit 3": "exit 3",
    "exit 126": "exit 126",
    "exit 127 command not found": "no-such-program",
    "killed by SIGKILL": "kill -KILL $$",
    "killed by SIGTERM": "kill -TERM $$",
    "killed by SIGSEGV": "kill -SEGV $$",
    "timeout": "sleep 60",
    "timeout after a complete deny": f"echo '{DENY}'; sleep 60",
    "a child that got away holds stdout": "setsid sleep 60 & sleep 0.1; exit 0",
    "JSON not closed": """printf '{"decision": "de'""",
    "text before the JSON deny": f"echo note; echo '{DENY}'",
    "text behind the JSON deny": f"echo '{DENY}'; echo note",
    "two JSON objects on two lines": f"echo '{{}}'; echo '{DENY}'",
    "JSON array": f"echo '[{DENY}]'",
    "unknown keys": """echo '{"permissionDecision": "deny"}'""",
    "decision with a wrong word": """echo '{"decision": "denied"}'""",
    "wrong hookEventName": """echo '{"hookSpecificOutput": {"hookEventName": "PostToolUse"}}'""",
    "missing hookEventName": """echo '{"hookSpecificOutput": {"permissionDecision": "deny"}}'""",
    "async first line": f"""echo '{{"async": true}}'; echo '{DENY}'""",
    "continue false": """echo '{"continue": false}'""",
    "defer": """echo '{"decision": "defer"}'""",
    "legacy block": """echo '{"decision": "block"}'""",
    "JSON deny, exit 1": f"echo '{DENY}'; exit 1",
    "JSON allow, exit 1": """echo '{"decision": "allow"}'; exit 1""",
    "JSON allow, exit 2": """echo '{"decision": "allow"}'; exit 2""",
    "exit 2, silent": "exit 2",
    "exit 2, stdin not read": "exec 0<&-; echo no >&2; exit 2",
    "more output than anybody reads": "yes | head -c 30000000",
    "modify without an input": """echo '{"decision": "modify"}'""",
}
"""What an executable guard does, by the name of its row."""

GUARD = """\
#!/bin/sh
read -r event
name=${event##*/row-}
exec /bin/sh "$(dirname "$0")/${name%%[!0-9]*}.sh"
"""


def _declare_guard(under: Guarded) -> None:
    """Declare a guard in the user's own settings that does what the call's row says."""
    place = under.claude.home / ".config" / "pointsman"
    place.mkdir(parents=True)
    (place / "guard").write_text(GUARD)
    (place / "guard").chmod(0o755)
    for number, body in enumerate(GUARD_ROWS.values()):
        (place / f"{number}.sh").write_text(body + "\n")
    (place / "config.toml").write_text(
        textwrap.dedent(f"""\
            [[hooks]]
            name = "theirs"
            role = "guard"
            events = ["PreToolUse"]
            tools = ["Bash"]
            budget = 0.5
            command = ["{place}/guard"]
            """)
    )


@pytest.fixture(scope="module")
def guards(
    tmp_path_factory: pytest.TempPathFactory, claude_binary: Path
) -> dict[str, tuple[bool, str, Mapping[str, Any]]]:
    """Whether each row's call ran, what the model was told, and the call's row of the ledger."""
    root = tmp_path_factory.mktemp("guards")
    with ExitStack() as stack:
        api = stack.enter_context(MessagesApi())
        claude = stack.enter_context(Claude(root / "project", root / "home", api, claude_binary))
        under = stack.enter_context(guarded(claude))
        _declare_guard(under)
        under.init()
        calls = [bash(f"touch {under.project}/row-{number}") for number in range(len(GUARD_ROWS))]
        api.script("main", *calls)
        result = claude.run("Begin. SCRIPT=main", env=under.env, timeout=200)
        found = {row["tool_use_id"]: row for row in under.rows("--event", "PreToolUse")}
        return {
            row: (
                (under.project / f"row-{number}").exists(),
                result.tool_results[f"toolu_main_{number}_0"].text,
                found[f"toolu_main_{number}_0"],
            )
            for number, row in enumerate(GUARD_ROWS)
        }


@pytest.mark.parametrize("row", GUARD_ROWS)
def test_a_guard_that_fails_so_stops_the_call(
    guards: dict[str, tuple[bool, str, Mapping[str, Any]]], row: str
) -> None:
    ran, told, record = guards[row]
    assert not ran
    assert record["decision"] == "deny"
    assert record["hook"] == "theirs"
    wanted = "guard.timed-out" if row.startswith("timeout") else "guard.crashed"
    assert record["rule"] == ("" if "exit 2" in row else wanted)
    assert record["reason"] in told
