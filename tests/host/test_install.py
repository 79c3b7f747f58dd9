from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import REQUIRE, unavailable
from .install import VERSION, claude_code
from .unavailable import HostUnavailable


def _npm(tmp_path: Path, script: str) -> str:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    return str(npm)


FAKE_INSTALL = """
sleep 0.2
[ -e "$0.ran" ] && exit 9
touch "$0.ran"
bin="$4/node_modules/@anthropic-ai/claude-code-any"
mkdir -p "$bin"
printf '#!/bin/sh\\necho "%s"\\n' "VERSION" > "$bin/claude"
chmod +x "$bin/claude"
"""


def test_without_npm_the_client_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(HostUnavailable, match="is not installed"):
        claude_code(tmp_path, npm=str(tmp_path / "no-npm"))


def test_failed_installation_says_what_npm_said(tmp_path: Path) -> None:
    npm = _npm(tmp_path, "echo no network >&2; exit 3")
    with pytest.raises(HostUnavailable, match="ended with 3: no network"):
        claude_code(tmp_path / "hosts", npm=npm)
    assert not list((tmp_path / "hosts").glob("claude-code-*"))


def test_other_version_is_refused(tmp_path: Path) -> None:
    npm = _npm(tmp_path, FAKE_INSTALL.replace("VERSION", "1.0.0"))
    with pytest.raises(HostUnavailable, match="not " + VERSION):
        claude_code(tmp_path / "hosts", npm=npm)


def test_several_at_once_install_it_once(tmp_path: Path) -> None:
    npm = _npm(tmp_path, FAKE_INSTALL.replace("VERSION", f"{VERSION} (fake)"))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(claude_code, tmp_path / "hosts", npm=npm) for _ in range(2)]
    first, second = (answer.result() for answer in asked)
    assert first.is_file()
    assert second == first
    assert claude_code(tmp_path / "hosts", npm="/no/npm/is/needed/now") == first


def test_client_that_cannot_be_had_skips_unless_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no npm"):
        unavailable(HostUnavailable("no npm"))
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match="no npm"):
        unavailable(HostUnavailable("no npm"))
