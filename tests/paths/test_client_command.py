from pathlib import Path

import pytest

from pointsman.paths import client_command as command_of
from pointsman.paths.client_command import client_command


@pytest.mark.parametrize(
    ("content", "mode", "native"),
    [
        (b"\x7fELF...", 0o755, True),
        (b"\xcf\xfa\xed\xfe", 0o755, True),
        (b"\x7fELF...", 0o644, False),
        (b"#!/bin/sh\n", 0o755, False),
        (None, 0, False),
    ],
)
def test_the_native_client_is_taken_where_it_can_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    mode: int,
    native: bool,
) -> None:
    program = tmp_path / "pointsman-hook"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    monkeypatch.setattr(command_of, "_scripts", lambda: str(tmp_path))
    command = client_command()
    assert command.native is native
    if native:
        assert command.argv == (str(program),)
    else:
        assert command.argv[1:3] == ("-I", "-S")
        assert Path(command.argv[3]).is_file()
