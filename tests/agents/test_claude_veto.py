import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.claude_events import registration
from pointsman.agents.claude_install import Where, install_host
from pointsman.agents.claude_veto import fault_of_change
from pointsman.model.event import Event, Identity
from pointsman.model.events import ConfigChange, Stop
from pointsman.model.places import Places

NEW = (2, 1, 330)
OURS: dict[str, Any] = {"hooks": registration(("/opt/pointsman-hook",), NEW)}


def put_in(root: Path, scope: str = "project") -> tuple[Path, Places]:
    """Have our hooks and pointsman-exec put into settings; return the file."""
    places = Places(root / "state", root / "etc")
    where = Where(scope, root, {}, root, places)
    install_host(where, ("/opt/pointsman-hook",), NEW, exec_argv=("/opt/pointsman-exec",))
    return where.file, places


def prefixed(file: Path, value: str | None) -> None:
    settings = json.loads(file.read_text())
    settings.setdefault("env", {}).pop("CLAUDE_CODE_SHELL_PREFIX", None)
    if value is not None:
        settings["env"]["CLAUDE_CODE_SHELL_PREFIX"] = value
    file.write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("value", "why"), [(None, "is gone from its env"), ("/bin/sh", "would be '/bin/sh'")]
)
def test_what_stands_before_shell_commands_stays(
    tmp_path: Path, value: str | None, why: str
) -> None:
    file, places = put_in(tmp_path)
    assert not fault_of_change(changed(tmp_path), str(tmp_path), places)
    prefixed(file, value)
    fault = fault_of_change(changed(tmp_path), str(tmp_path), places)
    assert "CLAUDE_CODE_SHELL_PREFIX" in fault
    assert fault.endswith(why)


def test_a_nearer_file_cannot_lead_past_it(tmp_path: Path) -> None:
    _, places = put_in(tmp_path)
    write(tmp_path, {"env": {"CLAUDE_CODE_SHELL_PREFIX": "/bin/sh"}}, "settings.local.json")
    fault = fault_of_change(changed(tmp_path, "local"), str(tmp_path), places)
    assert "would be '/bin/sh'" in fault
    write(tmp_path, {"env": {"A": "1"}}, "settings.local.json")
    assert not fault_of_change(changed(tmp_path, "local"), str(tmp_path), places)


def test_a_value_of_the_users_own_is_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"env": {"CLAUDE_CODE_SHELL_PREFIX": "/bin/nice"}})
    _, places = put_in(tmp_path)
    assert not fault_of_change(changed(tmp_path), str(tmp_path), places)


def changed(root: Path, scope: str = "project") -> Event:
    name = "settings.local.json" if scope == "local" else "settings.json"
    return ConfigChange(
        identity=Identity(host="claude-code", session="s", repository=str(root), cwd=str(root)),
        transcript_path=str(root / "transcript.jsonl"),
        source=f"{scope}_settings",
        file_path=str(root / ".claude" / name),
        host_config=str(root / "config"),
    )


def write(root: Path, settings: object, name: str = "settings.json") -> None:
    file = root / ".claude" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(settings if isinstance(settings, str) else json.dumps(settings))


def said_by_client(root: Path, version: str) -> None:
    line = json.dumps({"type": "user", "version": version}, separators=(",", ":"))
    (root / "transcript.jsonl").write_text(f"{line}\n")


def without(event: str) -> dict[str, Any]:
    return {"hooks": {name: group for name, group in OURS["hooks"].items() if name != event}}


def test_no_fault_in_what_init_writes(tmp_path: Path) -> None:
    said_by_client(tmp_path, "2.1.330")
    write(tmp_path, OURS)
    assert not fault_of_change(changed(tmp_path), str(tmp_path))


@pytest.mark.parametrize("event", ["PreToolUse", "ConfigChange", "PostToolUse", "SessionEnd"])
def test_a_lost_event_is_named(tmp_path: Path, event: str) -> None:
    write(tmp_path, without(event))
    fault = fault_of_change(changed(tmp_path), str(tmp_path))
    assert fault.startswith(f"no settings file would register Pointsman for {event}: ")
    assert fault.endswith("no longer registers them")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "settings.json:1:  not JSON"),
        ("", "settings.json:1:  not JSON"),
        ("[]", "not an object"),
        (json.dumps({**OURS, "model": 5}), "settings.json:1: model is not a text"),
        (json.dumps({**OURS, "permissions": {"deny": "x"}}), "permissions.deny is not a list"),
    ],
)
def test_a_file_that_the_client_ignores_registers_nothing(
    tmp_path: Path, text: str, why: str
) -> None:
    write(tmp_path, text)
    fault = fault_of_change(changed(tmp_path), str(tmp_path))
    assert "for PreToolUse, " in fault
    assert why in fault


def test_a_broken_hook_silences_its_own_event_only(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(OURS))
    broken["hooks"]["PreToolUse"].append({"hooks": [{"type": "command"}]})
    write(tmp_path, broken)
    fault = fault_of_change(changed(tmp_path), str(tmp_path))
    assert fault.startswith("no settings file would register Pointsman for PreToolUse: ")
    assert "without its command" in fault


def test_a_deleted_file_is_called_gone_unless_another_scope_has_us(tmp_path: Path) -> None:
    assert fault_of_change(changed(tmp_path), str(tmp_path)).endswith("settings.json is gone")
    write(tmp_path, OURS, "settings.local.json")
    assert not fault_of_change(changed(tmp_path), str(tmp_path))


@pytest.mark.parametrize(
    ("version", "faulty"), [("2.1.330", True), ("2.1.295", True), ("2.1.294", False), ("", False)]
)
def test_on_failure_is_missed_where_the_client_knows_it(
    tmp_path: Path, version: str, faulty: bool
) -> None:
    said_by_client(tmp_path, version)
    write(tmp_path, {"hooks": registration(("/opt/pointsman-hook",), (2, 1, 200))})
    fault = fault_of_change(changed(tmp_path), str(tmp_path))
    assert ('lacks onFailure = "block"' in fault) is faulty


def test_disabled_hooks_in_any_file(tmp_path: Path) -> None:
    write(tmp_path, OURS)
    write(tmp_path, {"disableAllHooks": True}, "settings.local.json")
    assert "disableAllHooks" in fault_of_change(changed(tmp_path, "local"), str(tmp_path))


def test_a_variable_that_leads_us_away(tmp_path: Path) -> None:
    write(tmp_path, {**OURS, "env": {"POINTSMAN_STATE_DIR": "/elsewhere"}})
    fault = fault_of_change(changed(tmp_path), str(tmp_path))
    assert "settings.json:1: env.POINTSMAN_STATE_DIR leads our hooks away" in fault


def test_other_events_change_no_settings(tmp_path: Path) -> None:
    assert not fault_of_change(Stop(identity=Identity(host="claude-code")), str(tmp_path))
