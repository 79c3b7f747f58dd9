"""Sockets behind which somebody outside carries out what is asked: no mount holds them.

To connect to a socket is no write to the file system, so they are hidden: a command finds an
empty device, or an empty directory, in their place.
"""

import glob
import os
import re
import stat
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from itertools import islice, takewhile

DOORS = (
    ("/run/docker.sock", "docker mounts and runs anything, as root"),
    ("/var/run/docker.sock", "the same by its other name"),
    ("/run/podman/podman.sock", "podman as root"),
    ("/run/containerd/containerd.sock", "containers without docker"),
    ("/run/crio/crio.sock", "containers without docker"),
    ("/run/buildkit/buildkitd.sock", "runs the steps of a build, as root"),
    ("/var/lib/lxd/unix.socket", "lxd mounts and runs anything, as root"),
    ("/var/snap/lxd/common/lxd/unix.socket", "the same, installed by snap"),
    ("/var/snap/lxd/common/lxd-user/unix.socket", "lxd for those who are not of its group"),
    ("/var/lib/incus/unix.socket", "incus mounts and runs anything, as root"),
    ("/var/lib/incus/unix.socket.user", "incus for those who are not of its group"),
    ("/run/incus/unix.socket", "incus, where newer releases have it"),
    ("/run/incus/unix.socket.user", "incus, where newer releases have it"),
    ("/run/libvirt/*-sock", "a virtual machine gets any disk, and an emulator of one's choice"),
    ("{runtime}/libvirt/*-sock", "the user's own virtual machines"),
    ("/run/supervisor.sock", "supervisor starts programs, as root"),
    ("/run/supervisor/supervisor.sock", "supervisor starts programs, as root"),
    ("/tmp/supervisor.sock", "supervisor starts programs: its example puts it here"),
    ("{home}/.pm2/rpc.sock", "pm2 starts programs"),
    ("/run/snapd.socket", "installs programs as root"),
    ("/run/dbus/system_bus_socket", "systemd-run starts a program as a service"),
    ("/run/systemd/private", "systemd itself"),
    ("{runtime}/bus", "systemd-run --user, and every program of the desktop"),
    ("{runtime}/systemd/private", "the user's systemd"),
    ("{runtime}/docker.sock", "docker of the user's own"),
    ("{runtime}/podman/podman.sock", "podman of the user's own"),
    ("{runtime}/pipewire-0-manager", "the desktop's sound and screens"),
    ("{runtime}/i3/", "window managers run programs"),
    ("{runtime}/sway-ipc.*", "window managers run programs"),
    ("{runtime}/hypr/", "window managers run programs"),
    ("/tmp/hypr/", "window managers run programs: where older ones have it"),
    ("{runtime}/niri.*.sock", "window managers run programs"),
    ("{runtime}/emacs/", "evaluates Lisp"),
    ("{runtime}/nvim.*", "nvim evaluates Lua, and runs what it is told"),
    ("/tmp/nvim.*/", "nvim, where there is no directory for the session"),
    ("{runtime}/vscode-ipc-*.sock", "code opens folders and installs extensions"),
    ("{runtime}/vscode-*-main.sock", "code opens folders and installs extensions"),
    ("/tmp/vscode-ipc-*.sock", "code opens folders and installs extensions"),
    ("{runtime}/zellij/", "zellij types into a person's shell"),
    ("/tmp/zellij-{uid}/", "zellij types into a person's shell"),
    ("{runtime}/wezterm/", "wezterm types into a person's shell"),
    ("/tmp/dbus-*", "a bus that dbus-launch has started: every program of the desktop"),
    ("{home}/.docker/run/docker.sock", "docker desktop"),
    ("{home}/.docker/desktop/docker.sock", "docker desktop"),
    ("{tmux}/tmux-{uid}/", "tmux types into a person's shell"),
    ("/run/screen/S-*/", "screen types into a person's shell"),
    ("/tmp/.X11-unix/X*", "xdotool types into a person's windows"),
    ("/tmp/emacs{uid}/", "evaluates Lisp"),
    ("/tmp/kitty*", "kitty's remote control types into a person's shell"),
    ("/tmp/mykitty*", "kitty's remote control types into a person's shell"),
)
"""Where they are, and why each is hidden; what ends in a slash is a directory of them."""
VARIABLES = (
    "CONTAINER_HOST", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "I3SOCK", "INCUS_SOCKET",
    "KITTY_LISTEN_ON", "LXD_SOCKET", "NVIM", "NVIM_LISTEN_ADDRESS", "SWAYSOCK", "TMUX",
    "VSCODE_IPC_HOOK_CLI", "WEZTERM_UNIX_SOCKET", "ZELLIJ_SOCKET_DIR",
)  # fmt: skip
"""Variables that say where one is, as a path or as ``unix:PATH`` with more behind a comma."""
_MAGIC = re.compile(r"[*?\[]")
_SCHEME = re.compile(r"unix:(?://(?=/)|path=)?")
_MOST = 128
_MOST_ALIKE = 16
"""Of one pattern: a command that makes a hundred in /tmp crowds none of the others out."""
_MOST_LISTED = 512


def doors(environ: Mapping[str, str], home: str, own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the sockets and their directories that are there, canonical, each once.

    ``own`` are further sockets, and directories of which each socket right in them counts.
    """
    # Ours come first: whatever else there is, no command speaks to the daemon as a person does.
    found = [*_of_our_own(own), *_named(environ), *_found(environ, home)]
    return tuple(dict.fromkeys(found))[:_MOST]


def _of_our_own(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        inside = sorted(glob.glob(f"{glob.escape(path)}/*")) if os.path.isdir(path) else [path]
        yield from (os.path.realpath(each) for each in inside[:_MOST_LISTED] if _is_socket(each))


def _found(environ: Mapping[str, str], home: str) -> Iterator[str]:
    own = (environ.get("XDG_RUNTIME_DIR", ""), environ.get("TMUX_TMPDIR", ""))
    listed: dict[str, Sequence[str]] = {}
    for folder, name, is_folder in _places(home, os.getuid(), *own, environ.get("TMPDIR", "")):
        is_door = os.path.isdir if is_folder else _is_socket
        there = islice(_matching(folder, name, listed), _MOST_LISTED)
        # Looked at first: to resolve a path takes a look at each part of it.
        found = filter(is_door, (f"{folder}/{each}" for each in there))
        yield from map(os.path.realpath, islice(found, _MOST_ALIKE))


@lru_cache(maxsize=64)
def _places(
    home: str, uid: int, runtime: str, tmux: str, temporary: str
) -> tuple[tuple[str, str, bool], ...]:
    """Return ``DOORS`` with what stands for it: a folder, a pattern in it, whether of folders."""
    values = {
        "runtime": {f"/run/user/{uid}", runtime},
        "tmux": {"/tmp", tmux, temporary},
        "home": {home},
        "uid": {str(uid)},
    }
    return tuple(
        (folder, name, pattern.endswith("/"))
        for pattern, _ in DOORS
        for place, _, last in (pattern.rstrip("/").rpartition("/"),)
        for folder in _filled(place, values)
        for name in _filled(last, values)
    )


def _matching(folder: str, name: str, listed: dict[str, Sequence[str]]) -> Iterator[str]:
    """Yield the names in a folder that a pattern means, in order.

    Each folder is read once a call: many patterns are of /tmp, where there may be thousands.
    """
    begin = _MAGIC.split(name, maxsplit=1)[0]
    if begin == name:
        yield name
        return
    if folder not in listed:
        listed[folder] = _names(folder)
    names = listed[folder]
    behind = (names[at] for at in range(bisect_left(names, begin), len(names)))
    matches = _expression(name).match
    for each in takewhile(lambda one: one.startswith(begin), behind):
        if matches(each) and (begin or not each.startswith(".")):
            yield each


@lru_cache(maxsize=256)
def _expression(name: str) -> "re.Pattern[str]":
    return re.compile(translate(name))


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _named(environ: Mapping[str, str]) -> Iterator[str]:
    for name in VARIABLES:
        place = _SCHEME.sub("", environ.get(name, ""), count=1).partition(",")[0]
        real = os.path.realpath(place) if place.startswith("/") else ""
        if _is_socket(real) or (name.endswith("_DIR") and os.path.isdir(real)):
            yield real


def _filled(pattern: str, values: Mapping[str, set[str]]) -> Iterator[str]:
    name = next((each for each in values if "{" + each + "}" in pattern), "")
    if not name:
        yield pattern
        return
    for value in sorted(values[name]):
        if name == "uid" or value.startswith("/"):
            yield from _filled(pattern.replace("{" + name + "}", value), values)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
