"""Sockets behind which somebody outside carries out what is asked: no mount holds them.

To connect to a socket is no write to the file system, so they are hidden: a command finds an
empty device, or an empty directory, in their place.
"""

import glob
import os
import stat
from collections.abc import Iterator, Mapping

DOORS = (
    ("/run/docker.sock", "docker mounts and runs anything, as root"),
    ("/var/run/docker.sock", "the same by its other name"),
    ("/run/podman/podman.sock", "podman as root"),
    ("/run/containerd/containerd.sock", "containers without docker"),
    ("/run/crio/crio.sock", "containers without docker"),
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
    ("{runtime}/emacs/", "evaluates Lisp"),
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
_MOST = 64
_MOST_LISTED = 512


def doors(environ: Mapping[str, str], home: str, own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the sockets and their directories that are there, canonical, each once.

    ``own`` are further sockets, and directories of which each socket right in them counts.
    """
    return tuple(dict.fromkeys([*_found(environ, home), *_of_our_own(own)]))[:_MOST]


def _of_our_own(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        inside = sorted(glob.glob(f"{glob.escape(path)}/*")) if os.path.isdir(path) else [path]
        yield from (os.path.realpath(each) for each in inside[:_MOST_LISTED] if _is_socket(each))


def _found(environ: Mapping[str, str], home: str) -> Iterator[str]:
    uid = os.getuid()
    values = {
        "runtime": {f"/run/user/{uid}", environ.get("XDG_RUNTIME_DIR", "")},
        "tmux": {"/tmp", environ.get("TMUX_TMPDIR", ""), environ.get("TMPDIR", "")},
        "home": {home},
        "uid": {str(uid)},
    }
    for pattern, _ in DOORS:
        for place in _filled(pattern, values):
            for path in sorted(glob.glob(place)):
                real = os.path.realpath(path)
                if os.path.isdir(real) if pattern.endswith("/") else _is_socket(real):
                    yield real
    for socket in (environ.get("TMUX", "").partition(",")[0], _docker(environ)):
        if socket.startswith("/") and _is_socket(os.path.realpath(socket)):
            yield os.path.realpath(socket)


def _filled(pattern: str, values: Mapping[str, set[str]]) -> Iterator[str]:
    name = next((each for each in values if "{" + each + "}" in pattern), "")
    if not name:
        yield pattern
        return
    for value in sorted(values[name]):
        if name == "uid" or value.startswith("/"):
            yield from _filled(pattern.replace("{" + name + "}", value), values)


def _docker(environ: Mapping[str, str]) -> str:
    return environ.get("DOCKER_HOST", "").removeprefix("unix://")


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
