"""An installation of Pointsman of the test's own, whose files may be broken.

It is made as pip would make it, without the network: a virtual environment with a copy of the
package, the command, and the native client where this checkout has one.
"""

import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pointsman

from .unavailable import HostUnavailable

_SCRIPT = "#!{python}\nimport sys\n\nfrom pointsman.cli.main import main\n\nsys.exit(main())\n"


class OwnInstall:
    """A virtual environment under ``root``; without ``native`` it has the Python client only.

    Raises:
        HostUnavailable: the native client is wanted, and this checkout has none.
    """

    def __init__(self, root: Path, *, native: bool) -> None:
        venv.create(root, symlinks=True, with_pip=False)
        self.native = native
        self.bin = root / "bin"
        self.python = self.bin / "python"
        self.command = self.bin / "pointsman"
        packages = next(root.glob("lib/python*/site-packages"))
        self.package = packages / "pointsman"
        source = Path(pointsman.__file__).parent
        shutil.copytree(source, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.command.write_text(_SCRIPT.format(python=self.python))
        self.command.chmod(0o755)
        self.program = self._client() if native else self.python
        """What the host starts."""

    def _client(self) -> Path:
        built = Path(sysconfig.get_path("scripts"), "pointsman-hook")
        if not built.exists() or built.read_bytes()[:2] == b"#!":
            raise HostUnavailable(f"no native client was compiled for {sys.prefix}")
        return Path(shutil.copy2(built, self.bin))

    @property
    def twin(self) -> Path:
        """The client in Python."""
        return self.package / "client" / "hook.py"
