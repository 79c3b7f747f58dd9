"""Sockets that lead outside."""

import os
import socket
from pathlib import Path

from pointsman.sandbox.doors import DOORS, doors


def test_what_is_there_is_found(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    (runtime / "podman").mkdir(parents=True)
    tmux = tmp_path / f"tmux-{os.getuid()}"
    tmux.mkdir()
    (runtime / "plain").touch()
    made = []
    for path in (runtime / "bus", runtime / "podman/podman.sock", tmp_path / "docker.sock"):
        made.append(socket.socket(socket.AF_UNIX))
        made[-1].bind(str(path))
    environ = {
        "XDG_RUNTIME_DIR": str(runtime), "TMUX_TMPDIR": str(tmp_path),
        "DOCKER_HOST": f"unix://{tmp_path}/docker.sock",
    }  # fmt: skip
    own = tmp_path / "own"
    own.mkdir()
    made.append(socket.socket(socket.AF_UNIX))
    made[-1].bind(str(own / "daemon.sock"))
    found = doors(environ, "/nowhere", (str(runtime / "plain"), "/no/such", str(own)))
    for each in made:
        each.close()
    ours = {path for path in found if path.startswith(str(tmp_path))}
    assert ours == {
        f"{runtime}/bus", f"{runtime}/podman/podman.sock", f"{tmp_path}/docker.sock", str(tmux),
        f"{own}/daemon.sock",
    }  # fmt: skip


def test_variables_that_lead_nowhere(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": "relative", "TMUX": ",,", "DOCKER_HOST": "tcp://127.0.0.1:1"}
    assert not [path for path in doors(environ, "/nowhere") if "relative" in path]


def test_every_door_has_a_reason() -> None:
    assert all(why for _, why in DOORS)
