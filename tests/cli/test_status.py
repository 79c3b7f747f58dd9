"""What can be said without a daemon."""

from pathlib import Path

from pointsman.cli.status import read_status
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
