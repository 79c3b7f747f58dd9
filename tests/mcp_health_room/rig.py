"""Real servers and real balancers: the official SDK in both of its generations, nginx, HAProxy.

What this machine does not have is installed under ``build/hosts/`` of this checkout, once: the
older SDK by pip, the balancers from Debian's archive without becoming part of the system.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pointsman.model.server_health import Server

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / "build" / "hosts"
PROGRAMS = Path(__file__).parent / "programs"
LEGACY_SDK = "mcp==1.30.0"
_DEBS = ("nginx", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1",
         "libpcre2-8-0")  # fmt: skip
_READY_S = 60.0


def unavailable(what: str) -> NoReturn:
    """Skip the test that asks, or fail it where real things are required."""
    if os.environ.get("POINTSMAN_REQUIRE_HOSTS") == "1":
        pytest.fail(f"{what} (POINTSMAN_REQUIRE_HOSTS=1)", pytrace=False)
    pytest.skip(what)


@contextmanager
def _once(name: str) -> Iterator[Path]:
    """Give the place of an installation, while no other process works on it."""
    HOSTS.mkdir(parents=True, exist_ok=True)
    with (HOSTS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield HOSTS / name


def legacy_python() -> str:
    """Return a Python with the SDK before version 2."""
    with _once("mcp-1.30.0") as place:
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=HOSTS) as made:
                venv.create(Path(made, "v"), with_pip=True)
                _run([f"{made}/v/bin/python", "-m", "pip", "install", "-q", LEGACY_SDK])
                Path(made, "v").rename(place)
        return str(place / "bin/python")


def balancer(name: str) -> tuple[str, dict[str, str]]:
    """Return the program of a balancer, and the environment that it needs."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found:
        return found, {}
    with _once("balancers") as place:
        if not place.is_dir():
            if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
                unavailable(f"{name} is not installed, and this is no Debian")
            with tempfile.TemporaryDirectory(dir=HOSTS) as made:
                _run(["apt-get", "download", *_DEBS], cwd=made)
                for deb in sorted(Path(made).glob("*.deb")):
                    _run(["dpkg", "-x", str(deb), f"{made}/x"])
                Path(made, "x").rename(place)
        libraries = ":".join(str(each) for each in place.glob("usr/lib/*-linux-gnu*"))
        return str(place / "usr/sbin" / name), {"LD_LIBRARY_PATH": libraries}


def _run(argv: list[str], cwd: str | None = None) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        unavailable(f"{' '.join(argv[:4])} ended with {done.returncode}: {done.stderr[-300:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A program in the background; ended with its group when the context is left."""

    def __init__(self, argv: list[str], env: Mapping[str, str] | None = None) -> None:
        self.argv, self.env = argv, {**os.environ, **(env or {})}
        self._child: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with it

    def start(self, port: int = 0) -> "Process":
        self._child = subprocess.Popen(
            self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._said, start_new_session=True,
        )  # fmt: skip
        if port:
            self._wait_for(port)
        return self

    def kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            # nginx has a worker, which its master would leave behind.
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def close(self) -> None:
        self.kill()
        self._said.close()

    def _wait_for(self, port: int) -> None:
        assert self._child is not None
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self._child.poll() is not None:
                self._said.seek(0)
                said = self._said.read()[-600:]
                raise AssertionError(f"{self.argv[:3]} ended: {said.decode(errors='replace')}")
            time.sleep(0.05)
        raise AssertionError(f"{self.argv[:3]} does not listen on {port}")


class Rig(ExitStack):
    """Servers of one test."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.file = folder / "calls"
        self.file.touch()

    def calls(self) -> list[str]:
        return self.file.read_text().split("\n")[:-1]

    def server(
        self, program: str, kind: str = "http", name: str = "one", port: int = 0
    ) -> tuple[int, Process]:
        """Start a server over HTTP; return its port and the process."""
        port = port or free_port()
        process = Process(self.argv(program, kind, name, port)).start(port)
        self.callback(process.close)
        return port, process

    def argv(self, program: str, kind: str, name: str = "one", port: int = 0) -> list[str]:
        python = legacy_python() if program == "legacy" else sys.executable
        return [python, str(PROGRAMS / f"{program}.py"), kind, str(port), name, str(self.file)]

    def nginx(self, ports: list[int], how: str = "") -> int:
        """Put nginx before servers; ``how`` is the method of its upstream."""
        program, env = balancer("nginx")
        port = free_port()
        place = Path(tempfile.mkdtemp(dir=self.folder))
        upstream = "\n".join(f"server 127.0.0.1:{each};" for each in ports)
        paths = " ".join(f"{each}_temp_path {place}/{each};" for each in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        (place / "nginx.conf").write_text(
            f"daemon off; pid {place}/pid; error_log stderr; worker_processes 1;\n"
            "events {}\n"
            f"http {{ access_log off; {paths}\n"
            f"upstream mcp {{ {how} {upstream} }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://mcp;\n"
            "proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection '';\n"
            "proxy_set_header Host $http_host; }} }}\n"
            "}}\n".replace("}}", "}")
        )
        argv = [program, "-e", "stderr", "-p", str(place), "-c", str(place / "nginx.conf")]
        process = Process(argv, env).start(port)
        self.callback(process.close)
        return port

    def haproxy(self, backend: str) -> int:
        """Put HAProxy with this backend before servers."""
        program, env = balancer("haproxy")
        port = free_port()
        place = Path(tempfile.mkdtemp(dir=self.folder)) / "haproxy.cfg"
        place.write_text(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n"
            "  timeout server 60s\n"
            f"frontend all\n  bind 127.0.0.1:{port}\n  default_backend mcp\n{backend}\n"
        )
        process = Process([program, "-db", "-f", str(place)], env).start(port)
        self.callback(process.close)
        return port


def declared(**given: Any) -> Server:
    """Return a server as a user's file would declare it."""
    return Server(**{"name": "one", "host": "claude-code", "scope": "user", "file": "/f", **given})


def at(port: int, path: str = "mcp", **given: Any) -> Server:
    return declared(transport="http", url=f"http://127.0.0.1:{port}/{path}", **given)
