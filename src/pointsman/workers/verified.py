"""Imports Python files from the bytes that were hashed, and nothing else from their folder.

No byte code cache is read or written, and a file that is not what was trusted is not run: what
stood on disk when somebody looked is what runs, however long ago that was.
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path


class Verified(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules of a hooks folder, each held to its hash."""

    def __init__(self, folder: str, sources: Mapping[str, str]) -> None:
        self._sources = dict(sources)
        self._names: dict[str, str] = {}
        for path in sources:
            self._add(Path(path).relative_to(folder).with_suffix(""), path)

    def _add(self, inner: Path, path: str) -> None:
        parts = inner.parts[:-1] if inner.name == "__init__" else inner.parts
        self._names[".".join(parts)] = path
        for end in range(1, len(parts)):
            self._names.setdefault(".".join(parts[:end]), "")

    def main(self, file: str) -> types.ModuleType:
        """Load a hook file as a module of its own."""
        name = f"pointsman_hook_{Path(file).stem}"
        spec = importlib.machinery.ModuleSpec(name, self, origin=file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module beside the hook file; the standard library's names are its own."""
        del path, target
        file = self._names.get(fullname)
        if file is None or fullname.partition(".")[0] in sys.stdlib_module_names:
            return None
        package = not file or Path(file).name == "__init__.py"
        return importlib.machinery.ModuleSpec(fullname, self, origin=file, is_package=package)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run a module's code, if it is what it must be.

        Raises:
            ImportError: it is not.
        """
        file = module.__spec__.origin if module.__spec__ else None
        if not file:
            return
        module.__file__ = file
        source = Path(file).read_bytes()
        if hashlib.sha256(source).hexdigest() != self._sources.get(file):
            raise ImportError(
                f"{file} is not what was trusted. A person looks at it and types: pointsman trust"
            )
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what hooks are for
