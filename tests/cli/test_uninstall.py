from pathlib import Path

import pytest
from click.testing import CliRunner

from pointsman.agents.claude_install import install_host
from pointsman.cli import host_settings
from pointsman.cli.uninstall import command


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POINTSMAN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".claude").mkdir()
    return tmp_path / ".claude/settings.json"


def install() -> None:
    install_host(host_settings.where("project"), ("/opt/pointsman-hook",), (2, 1, 330))


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_restores(settings: Path) -> None:
    settings.write_text("{}")
    install()
    shown = run("--dry-run")
    assert '-  "hooks": {' in shown
    assert f"Would have restored {settings}, byte for byte" in shown
    assert run() == f"Restored {settings}, byte for byte as it was before us.\n"
    assert settings.read_text() == "{}"
    assert run() == f"{settings} has no hooks of ours; nothing was changed.\n"


def test_deletes_what_was_not_there(settings: Path) -> None:
    install()
    assert run().startswith(f"Deleted {settings}")
    assert not settings.exists()


def test_keeps_what_was_added(settings: Path) -> None:
    install()
    settings.write_text(settings.read_text().replace("{\n", '{\n  "model": "opus",\n', 1))
    assert run().startswith(f"Taken our hooks out of {settings}; what was changed since")
    assert settings.read_text() == '{\n  "model": "opus"\n}\n'
