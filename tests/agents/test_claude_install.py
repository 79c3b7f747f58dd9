import json
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.agents.claude_events import EVENTS
from pointsman.agents.claude_install import Where, install_host, settings_texts, uninstall_host
from pointsman.agents.claude_settings import our_events
from pointsman.agents.settings_write import BACKUP, Notes
from pointsman.model.errors import HostError
from pointsman.model.places import Places

ARGV = ("/opt/pointsman-hook",)
NEW = (2, 1, 330)
USERS = b'{\n\t"hooks": { "Stop": [] },\n\t"model": "opus"\n}'


@pytest.fixture
def where(tmp_path: Path) -> Where:
    places = Places(state=tmp_path / "state", config=tmp_path / "config")
    repository = tmp_path / "repository"
    (repository / ".claude").mkdir(parents=True)
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}
    return Where("project", repository, environ, tmp_path / "home", places)


def test_installs_and_restores_byte_for_byte(where: Where) -> None:
    where.file.write_bytes(USERS)
    done = install_host(where, ARGV, NEW)
    assert done.change.changed
    assert done.change.after == where.file.read_bytes()
    assert our_events(json.loads(where.file.read_bytes())) == frozenset(EVENTS)
    assert done.change.backup == where.file.with_name("settings.json" + BACKUP)
    assert done.change.backup.read_bytes() == USERS
    assert done.fails_open == ()
    assert done.problems == ()
    change = uninstall_host(where)
    assert change.restored
    assert where.file.read_bytes() == USERS
    assert [path.name for path in where.file.parent.iterdir()] == ["settings.json"]
    assert Notes(where.places).of(where.file) is None


def test_a_second_time_changes_nothing(where: Where) -> None:
    where.file.write_bytes(USERS)
    install_host(where, ARGV, NEW)
    first = where.file.stat()
    again = install_host(where, ARGV, NEW)
    assert not again.change.changed
    assert again.change.backup
    assert where.file.stat().st_ino == first.st_ino
    install_host(where, ("/elsewhere/pointsman-hook",), (2, 1, 200))
    assert uninstall_host(where).restored
    assert where.file.read_bytes() == USERS


@pytest.mark.parametrize(("scope", "pinned"), [("project", False), ("local", True), ("user", True)])
def test_what_is_one_users_alone_names_the_directories(
    where: Where, scope: str, pinned: bool
) -> None:
    here = replace(where, scope=scope)
    install_host(here, ARGV, NEW)
    settings = json.loads(here.file.read_bytes())
    args = settings["hooks"]["PreToolUse"][0]["hooks"][0]["args"]
    directories = [str(where.places.state), str(where.places.config)]
    assert args == ["claude-code", "PreToolUse", *(directories if pinned else [])]
    assert our_events(settings) == frozenset(EVENTS)
    assert not install_host(here, ARGV, NEW).change.changed
    uninstall_host(here)
    assert not here.file.exists()


def test_a_client_that_ignores_such_hooks_is_refused(where: Where) -> None:
    where.file.write_bytes(USERS)
    with pytest.raises(HostError, match=r"2\.1\.138 cannot be guarded.*nothing was written"):
        install_host(where, ARGV, (2, 1, 138))
    assert where.file.read_bytes() == USERS
    assert install_host(where, ARGV, (2, 1, 139)).fails_open


def test_a_file_that_was_not_there_goes(where: Where) -> None:
    done = install_host(where, ARGV, NEW)
    assert done.change.before is None
    assert done.change.backup is None
    install_host(where, ("/elsewhere/pointsman-hook",), NEW)
    change = uninstall_host(where)
    assert (change.after, change.restored) == (None, True)
    assert list(where.file.parent.iterdir()) == []


def test_a_file_that_was_not_there_and_was_used_since_stays(where: Where) -> None:
    install_host(where, ARGV, NEW)
    edited = json.loads(where.file.read_bytes()) | {"model": "opus"}
    where.file.write_text(json.dumps(edited, indent=2))
    uninstall_host(where)
    assert json.loads(where.file.read_bytes()) == {"model": "opus"}


def test_an_edited_file_keeps_its_edits(where: Where) -> None:
    where.file.write_bytes(USERS)
    install_host(where, ARGV, NEW)
    where.file.write_bytes(where.file.read_bytes().replace(b'"opus"', b'"sonnet"'))
    change = uninstall_host(where)
    assert change.changed
    assert not change.restored
    assert where.file.read_bytes() == USERS.replace(b'"opus"', b'"sonnet"')


def test_an_edited_file_installed_again_goes_back_to_the_edit(where: Where) -> None:
    where.file.write_bytes(USERS)
    install_host(where, ARGV, NEW)
    where.file.write_bytes(where.file.read_bytes().replace(b'"opus"', b'"sonnet"'))
    install_host(where, ("/elsewhere/pointsman-hook",), NEW)
    assert uninstall_host(where).restored
    assert where.file.read_bytes() == USERS.replace(b'"opus"', b'"sonnet"')


@pytest.mark.parametrize("loss", ["backup", "backup changed", "notes"])
def test_a_lost_backup_or_note_is_not_needed(where: Where, loss: str) -> None:
    where.file.write_bytes(USERS)
    backup = install_host(where, ARGV, NEW).change.backup
    assert backup
    if loss == "backup":
        backup.unlink()
    elif loss == "notes":
        (where.places.state / "installs.json").unlink()
    else:
        backup.write_bytes(b"something else")
    assert not uninstall_host(where).restored
    assert where.file.read_bytes() == USERS
    assert backup.exists() == (loss != "backup")


def test_nothing_to_take_out(where: Where) -> None:
    assert not uninstall_host(where).changed
    where.file.write_bytes(b"{}")
    assert not uninstall_host(where).changed
    assert where.file.read_bytes() == b"{}"


def test_an_empty_file_written_after_ours_was_deleted_stays(where: Where) -> None:
    install_host(where, ARGV, NEW)
    where.file.write_bytes(b"{}")
    uninstall_host(where)
    assert where.file.read_bytes() == b"{}"


def test_a_dry_run_writes_nothing(where: Where, tmp_path: Path) -> None:
    where.file.write_bytes(USERS)
    done = install_host(where, ARGV, NEW, dry_run=True)
    assert done.change.changed
    assert done.problems == ()
    assert where.file.read_bytes() == USERS
    assert not where.places.state.exists()
    install_host(where, ARGV, NEW)
    change = uninstall_host(where, dry_run=True)
    assert (change.after, change.restored) == (USERS, True)
    assert our_events(json.loads(where.file.read_bytes()))


def test_what_cannot_be_read_is_left_alone(where: Where) -> None:
    where.file.write_bytes(b"{ // mine\n}")
    with pytest.raises(HostError, match=r"settings\.json:1: not JSON: a comment") as caught:
        install_host(where, ARGV, NEW)
    assert caught.value.fix == "take the comment out"
    assert where.file.read_bytes() == b"{ // mine\n}"
    assert [path.name for path in where.file.parent.iterdir()] == ["settings.json"]


def test_the_other_scopes_are_looked_at(where: Where) -> None:
    local = where.file_of("local")
    local.write_bytes(b'{"disableAllHooks": true}')
    where.file_of("user").parent.mkdir()
    where.file_of("user").mkdir()
    assert settings_texts(where)["user"][1] is None
    (problem,) = install_host(where, ARGV, NEW).problems
    assert (problem.file, problem.key) == (str(local), "disableAllHooks")


def test_an_old_client(where: Where) -> None:
    done = install_host(where, ARGV, (2, 1, 200))
    assert done.fails_open
    assert [problem.key for problem in done.problems] == ["version"]
    assert b"onFailure" not in where.file.read_bytes()


def test_scopes_do_not_touch_one_another(where: Where) -> None:
    user = replace(where, scope="user")
    install_host(where, ARGV, NEW)
    install_host(user, ARGV, NEW)
    uninstall_host(where)
    assert not where.file.exists()
    assert our_events(json.loads(user.file.read_bytes())) == frozenset(EVENTS)
