"""Sockets that lead outside."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

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


@contextmanager
def listening(*paths: Path) -> Iterator[None]:
    with ExitStack() as stack:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        yield


@pytest.mark.parametrize(
    ("socket_there", "hidden"),
    [
        ("nvim.4242.0", "nvim.4242.0"),
        ("zellij/0.43.1/main", "zellij"),
        ("hypr/abc_1/.socket.sock", "hypr"),
        ("niri.wayland-1.77.sock", "niri.wayland-1.77.sock"),
        ("vscode-ipc-1b4e28ba.sock", "vscode-ipc-1b4e28ba.sock"),
        ("vscode-1a2b3c4d-1.99-main.sock", "vscode-1a2b3c4d-1.99-main.sock"),
        ("wezterm/gui-sock-77", "wezterm"),
        ("libvirt/libvirt-sock", "libvirt/libvirt-sock"),
        ("libvirt/virtqemud-sock", "libvirt/virtqemud-sock"),
        # what only tells, or carries something else
        ("libvirt/libvirt-sock-ro", ""),
        ("pulse/native", ""),
        ("gnupg/S.gpg-agent", ""),
        ("vscode-git-1b4e28ba.sock", ""),
        ("wayland-0", ""),
    ],
)
def test_sockets_of_the_session(tmp_path: Path, socket_there: str, hidden: str) -> None:
    with listening(tmp_path / socket_there):
        found = doors({"XDG_RUNTIME_DIR": str(tmp_path)}, "/nowhere")
    ours = [path for path in found if path.startswith(str(tmp_path))]
    assert ours == ([f"{tmp_path}/{hidden}"] if hidden else [])


@pytest.mark.parametrize("name", ["dbus-{own}", "vscode-ipc-{own}.sock", "nvim.{own}/"])
def test_sockets_among_temporary_files(tmp_path: Path, name: str) -> None:
    """They are looked for where programs put them, so this one really lies in /tmp."""
    door = Path("/tmp", name.format(own=f"{os.getpid()}-{tmp_path.name}"))
    place = door / "nvim.1.0" if name.endswith("/") else door
    try:
        with listening(place):
            assert str(door) in doors({}, "/nowhere")
    finally:
        place.unlink()
        if place != door:
            door.rmdir()


def test_pm2_of_the_home(tmp_path: Path) -> None:
    with listening(tmp_path / ".pm2/rpc.sock"):
        assert f"{tmp_path}/.pm2/rpc.sock" in doors({}, str(tmp_path))


@pytest.mark.parametrize("door", [
    "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/incus/unix.socket", "/run/libvirt/*-sock", "/run/supervisor.sock", "/tmp/hypr/",
    "/tmp/zellij-{uid}/",
])  # fmt: skip
def test_doors_of_the_machine_are_known(door: str) -> None:
    """They belong to root, and none is to be made on the machine of a test."""
    assert door in dict(DOORS)


@pytest.mark.parametrize(("name", "value"), [
    ("DOCKER_HOST", "unix://{}"), ("CONTAINER_HOST", "unix://{}"),
    ("DBUS_SESSION_BUS_ADDRESS", "unix:path={},guid=0a1b"), ("KITTY_LISTEN_ON", "unix:{}"),
    ("TMUX", "{},4242,0"), ("NVIM", "{}"), ("VSCODE_IPC_HOOK_CLI", "{}"), ("SWAYSOCK", "{}"),
    ("INCUS_SOCKET", "{}"), ("LXD_SOCKET", "{}"), ("WEZTERM_UNIX_SOCKET", "{}"),
])  # fmt: skip
def test_variables_that_name_one(tmp_path: Path, name: str, value: str) -> None:
    with listening(tmp_path / "s"):
        assert f"{tmp_path}/s" in doors({name: value.format(tmp_path / "s")}, "/nowhere")
    (tmp_path / "s").unlink()
    assert f"{tmp_path}/s" not in doors({name: value.format(tmp_path / "s")}, "/nowhere")


def test_a_variable_that_names_a_directory_of_them(tmp_path: Path) -> None:
    assert str(tmp_path) in doors({"ZELLIJ_SOCKET_DIR": str(tmp_path)}, "/nowhere")
    assert str(tmp_path) not in doors({"NVIM": str(tmp_path)}, "/nowhere")


def test_many_of_one_kind_crowd_none_of_the_others_out(tmp_path: Path) -> None:
    own = tmp_path / "own" / "daemon.sock"
    many = [tmp_path / f"nvim.{number:03d}.0" for number in range(40)]
    with listening(own, tmp_path / "bus", tmp_path / "wezterm/sock", *many):
        found = doors({"XDG_RUNTIME_DIR": str(tmp_path)}, "/nowhere", (str(own),))
    assert {str(own), f"{tmp_path}/bus", f"{tmp_path}/wezterm"} <= set(found)
    assert found[0] == str(own)


def test_variables_that_lead_nowhere(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": "relative", "TMUX": ",,", "DOCKER_HOST": "tcp://127.0.0.1:1"}
    assert not [path for path in doors(environ, "/nowhere") if "relative" in path]


def test_every_door_has_a_reason() -> None:
    assert all(why for _, why in DOORS)


def test_every_pattern_has_its_wildcards_in_its_last_part() -> None:
    """Of the rest each is a place: a value with a bracket in it is no pattern."""
    for pattern, _ in DOORS:
        folder = pattern.rstrip("/").rpartition("/")[0]
        assert not set("*?[") & set(folder)


def test_a_directory_named_like_a_pattern_is_one(tmp_path: Path) -> None:
    runtime = tmp_path / "[ab]*"
    with listening(runtime / "nvim.1.0", tmp_path / "a/nvim.2.0"):
        found = doors({"XDG_RUNTIME_DIR": str(runtime)}, "/nowhere")
    assert [path for path in found if path.startswith(str(tmp_path))] == [f"{runtime}/nvim.1.0"]
