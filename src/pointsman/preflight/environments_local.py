"""The environment of the machine that one develops on: the shell, ``.env``, its Python."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pointsman.model.preflight import Files
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.spans import Lines

_LINE = re.compile(
    rb"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"
    rb"(\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\r\n]*)",
    re.MULTILINE,
)
_MOST_PACKAGES = 2000


def dotenv(data: bytes, file: str) -> dict[str, Variable]:
    """Return what a ``.env`` file sets; the last of several lines wins."""
    lines = Lines(data)
    found = {}
    for each in _LINE.finditer(data):
        name = each.group(1).decode()
        text = each.group(2).decode("utf-8", "replace")
        if text[:1] in {"'", '"'}:
            value: str | None = text[1:-1]
        else:
            value = re.sub(r"\s+#.*", "", text).strip()
            value = "" if value.startswith("#") else value
        if text[:1] != "'" and "${" in (value or ""):
            value = None
        found[name] = variable(name, value, Source.DOTENV, file, lines.of(each.start(1)))
    return found


def of_dotenv(data: bytes, file: str) -> Environment:
    """Return a ``.env`` file as an environment of its own."""
    return Environment(label=file, sort=Sort.LOCAL, file=file, variables=dotenv(data, file))


def of_shell(root: Path, given: Mapping[str, str], wanted: Iterable[str]) -> Environment:
    """Return the environment of this process: of its variables, those that are wanted."""
    variables = {name: variable(name, given[name], Source.SHELL, "the shell", 1)
                 for name in wanted if name in given}  # fmt: skip
    facts = {"identity": Fact("the credentials of whoever is logged in", "the shell", 1)}
    if given.get("GOOGLE_APPLICATION_CREDENTIALS"):
        facts["identity"] = Fact("the key file of GOOGLE_APPLICATION_CREDENTIALS", "the shell", 1)
    facts["cpu"] = Fact(str(os.cpu_count() or 1), "this machine", 1)
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        facts["memory"] = Fact(f"{size // 2**20}Mi", "this machine", 1)
    except (ValueError, OSError, AttributeError):
        pass  # Not every system says how much it has; then it is not compared.
    version = _python(root)
    if version is not None:
        facts["python"] = version
    return Environment(label="the shell", sort=Sort.LOCAL, file="the shell", variables=variables,
                       facts=facts, packages=installed(root))  # fmt: skip


def local(root: Path, files: Files, given: Mapping[str, str], wanted: Iterable[str]) -> Environment:
    """Return shell and ``.env`` together; what the shell has wins, as for python-dotenv."""
    names: list[str] = [each for each in (".env", ".env.local") if each in files.names]
    variables: dict[str, Variable] = {}
    for each in names:
        variables |= dotenv(files.read(each), each)
    shell = of_shell(root, given, {*wanted, *variables})
    return Environment(
        label=" + ".join(("the shell", *names)), sort=Sort.LOCAL,
        file=names[0] if names else "the shell",
        variables=variables | dict(shell.variables), facts=shell.facts, packages=shell.packages,
    )  # fmt: skip


def installed(root: Path) -> dict[str, str]:
    """Return the packages of the project's ``.venv`` with their versions."""
    found = {}
    for each in sorted(root.glob(".venv/lib*/python*/site-packages/*.dist-info"))[:_MOST_PACKAGES]:
        name, _, version = each.name.removesuffix(".dist-info").rpartition("-")
        found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def _python(root: Path) -> Fact | None:
    """Return the Python that the project is run with: of its ``.venv``, else as it is pinned."""
    for name, sign in ((".venv/pyvenv.cfg", r"version(?:_info)?\s*=\s*(\d+\.\d+)"),
                       (".python-version", r"\s*(?:cpython-)?(\d+\.\d+)")):  # fmt: skip
        try:
            text = (root / name).read_text(encoding="utf-8", errors="replace")[:4096]
        except OSError:
            continue
        found = re.search(sign, text)
        if found is not None:
            line = text.count("\n", 0, found.start(1)) + 1
            return Fact(found.group(1), name, line)
    return None
