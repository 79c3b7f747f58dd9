"""Compiles the native clients and builds the dashboard's pages while the package is built.

The clients need a C compiler, the pages Node.js 20 with npm.

Without a compiler (or with ``POINTSMAN_NO_NATIVE=1``) the install works all the same:
``pointsman-hook`` and ``pointsman-exec`` are then small scripts that start the clients in Python.
Without Node (or with ``POINTSMAN_NO_UI=1``) the dashboard says on its page what to do. An sdist
carries the built pages, so that who installs from one needs no Node.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UI = Path("ui")
STATIC = Path("src/pointsman/web/static")
NPM_S = 300
"""Seconds that npm may take for one step."""
FOLDER = Path("src/pointsman/client")
PROGRAMS = {
    "pointsman-hook": ("pointsman_hook.c", "hook.py"),
    "pointsman-exec": ("pointsman_exec.c", "exec.py"),
}
"""Each program with its source and its twin."""
SCRIPT = """#!python
import os
import sys
from importlib import resources

client = str(resources.files("pointsman.client") / "{twin}")
os.execv(sys.executable, [sys.executable, "-I", "-S", client, *sys.argv[1:]])
"""


class NativeClient(BuildHookInterface[Any]):
    """Adds the clients to the scripts of the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the clients, or write the scripts that stand in for them."""
        del version
        self._build_pages()
        if self.target_name != "wheel":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="pointsman-build-"))
        for name, (source, twin) in PROGRAMS.items():
            program = self._folder / name
            if self._compile(program, FOLDER / source):
                build_data["pure_python"] = False
                build_data["tag"] = f"py3-none-{_platform()}"
            else:
                program.write_text(SCRIPT.replace("{twin}", twin), encoding="utf-8")
            program.chmod(0o755)
            build_data["shared_scripts"][str(program)] = name

    def _build_pages(self) -> None:
        root = Path(self.root)
        target = root / STATIC
        wanted = _stamp(root / UI)
        stamp = target / "stamp.txt"
        if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
            return
        if os.environ.get("POINTSMAN_NO_UI") == "1":
            self.app.display_info("the dashboard's pages: left out, as asked for")
            return
        if shutil.which("npm") is None or shutil.which("node") is None:
            self.app.display_warning(
                "the dashboard's pages: not built, there is no Node.js with npm; everything else "
                "works. Install Node.js 20 or newer, then install this package again"
            )
            return
        with tempfile.TemporaryDirectory(prefix="pointsman-ui-") as folder:
            # Beside, and moved when it is whole: several builds may run at once.
            made = Path(folder) / "ui"
            shutil.copytree(root / UI, made, ignore=shutil.ignore_patterns("node_modules"))
            fault = _run_npm(made, Path(folder) / "static")
            if fault:
                self.app.display_warning(f"the dashboard's pages: not built: {fault}")
                return
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(Path(folder) / "static", target, dirs_exist_ok=True)
        stamp.write_text(wanted, encoding="ascii")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled."""
        del version, build_data, artifact_path
        folder = getattr(self, "_folder", None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _compile(self, program: Path, source: Path) -> bool:
        if os.environ.get("POINTSMAN_NO_NATIVE") == "1":
            self.app.display_info(f"{program.name}: the client in Python, as asked for")
            return False
        compiler = shlex.split(os.environ.get("CC", "")) or _found("cc", "gcc", "clang")
        if not compiler:
            self.app.display_warning(f"{program.name}: no C compiler; using the client in Python")
            return False
        flags = ["-std=c11", "-O2", f'-DPOINTSMAN_VERSION="{_version(Path(self.root))}"']
        # Static first: a program without libraries to look up starts in half the time.
        for link in (["-static"], []):
            command = [*compiler, *flags, *link, "-o", str(program), str(Path(self.root) / source)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except OSError as error:
                self.app.display_warning(f"{program.name}: {compiler[0]}: {error}")
                return False
            if done.returncode == 0:
                return True
        self.app.display_warning(f"{program.name}: not compiled: {done.stderr.strip()[:500]}")
        return False


def _run_npm(folder: Path, out: Path) -> str:
    """Install what the lock file names and build; return why it failed, or nothing."""
    environ = {**os.environ, "POINTSMAN_UI_OUT": str(out)}
    for words in (["ci", "--ignore-scripts"], ["run", "build"]):
        try:
            done = subprocess.run(
                ["npm", *words], cwd=folder, env=environ, capture_output=True, text=True,
                check=False, timeout=NPM_S,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"npm {words[0]}: {error}"
        if done.returncode:
            return f"npm {words[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}"
    return ""


def _stamp(folder: Path) -> str:
    """Return one hash of everything that the pages are built from."""
    whole = hashlib.sha256()
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        if not name.startswith("node_modules/"):
            whole.update(f"{name}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _found(*names: str) -> list[str]:
    return next(([path] for name in names if (path := shutil.which(name))), [])


def _version(root: Path) -> str:
    text = (root / "src/pointsman/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    if found is None:
        raise ValueError("src/pointsman/__init__.py has no __version__")
    return found[1]


def _platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
