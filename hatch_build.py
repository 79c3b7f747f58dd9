"""Compiles the native clients while the package is built, where there is a C compiler.

Without one (or with ``POINTSMAN_NO_NATIVE=1``) the install works all the same: ``pointsman-hook``
and ``pointsman-exec`` are then small scripts that start the clients in Python.
"""

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
