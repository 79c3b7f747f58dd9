"""What can be said without a daemon."""

from pathlib import Path

from pointsman.cli.status import _consequences, _ledger_lines, _sandbox_lines, read_status
from pointsman.model.places import Places


def test_without_a_daemon(tmp_path: Path) -> None:
    where = Places(tmp_path / "state", tmp_path / "config")
    (tmp_path / ".git").mkdir()
    status = read_status(where, str(tmp_path))
    assert status["running"] is False
    assert status["repository"] == str(tmp_path)
    assert {"pid", "socket", "version", "config_errors", "ledger", "spooled"} <= set(status)
    assert not where.state.exists()


def test_where_the_working_directory_is_gone(tmp_path: Path) -> None:
    where = Places(tmp_path / "state", tmp_path / "config")
    assert read_status(where, "")["repository"] is None


def test_what_is_amiss_with_the_record_is_shown() -> None:
    status = {
        "unrecorded": 1, "unrecorded_waiting": 2, "ledger_error": "the disk is full", "spooled": 3,
        "set_aside": ["/state/ledger.db.corrupt"],
    }  # fmt: skip
    assert list(_ledger_lines(status)) == [
        "warning    1 events could not be put on record",
        "warning    2 events wait to be put on record",
        "error      the disk is full",
        "warning    3 events wait in the spool",
        "warning    a damaged ledger was set aside: /state/ledger.db.corrupt",
    ]
    assert list(_ledger_lines({"spooled": 0})) == []


def test_what_holds_commands_is_shown() -> None:
    found = {"mechanism": "bubblewrap", "version": "0.8.0", "refused": []}
    assert list(_sandbox_lines({"sandbox": found})) == ["sandbox    bubblewrap 0.8.0"]
    assert list(_sandbox_lines({})) == []


def test_that_nothing_holds_commands_is_a_warning_with_the_reasons() -> None:
    refused = [
        {"mechanism": "bubblewrap", "reason": "it is not installed"},
        {"mechanism": "landlock", "reason": "the kernel has none"},
    ]
    first, second = _sandbox_lines({"sandbox": {"mechanism": "none", "refused": refused}})
    assert first.startswith("warning    nothing on this machine can hold a command")
    assert "bubblewrap: it is not installed; landlock: the kernel has none" in first
    assert "analysed before they run" in second


def test_what_a_mistake_comes_to_depends_on_where_it_is() -> None:
    settings, contract = "/r/.pointsman/config.toml", "/r/.claude/agents/a.md"
    assert len(list(_consequences([settings, contract]))) == 2
    (said,) = _consequences([settings])
    assert "last good settings" in said
    for file in (contract, "/r/.pointsman/contracts/a.toml"):
        (said,) = _consequences([file])
        assert "edits are denied" in said
    assert list(_consequences(["/r/.pointsman/hooks/a.py"])) == []


def test_checks_that_nobody_has_trusted_are_told(tmp_path: Path) -> None:
    where = Places(tmp_path / "state", tmp_path / "config")
    file = tmp_path / ".claude/agents/a.md"
    file.parent.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    check = "validation: {postComplete: [{check: tests_pass, command: make test}]}"
    file.write_text(f"---\nname: a\n{check}\n---\nYou work.\n")
    (told,) = read_status(where, str(tmp_path))["checks_skipped"]
    assert told.startswith(f"{file}: nobody has trusted it")
    file.write_text("---\nname: a\n---\nYou work.\n")
    assert read_status(where, str(tmp_path))["checks_skipped"] == []
