"""The Python that it is deployed with is not the one that it was written for."""

import re
import tomllib
from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check, Files
from pointsman.preflight.environments_code import scope_of
from pointsman.preflight.environments_model import Difference, Environment, Rank
from pointsman.preflight.environments_program import Program, fault, on_deployed

_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<)\s*(\d+)(?:\.(\d+))?((?:\.\d+)*)(\.\*)?")


def version_of(environment: Environment) -> str:
    """Return the Python of an environment, ``3.12``; empty where it is not known."""
    said = environment.fact("python") or _runtime(environment.fact("runtime"))
    found = re.match(r"(\d+\.\d+)", said)
    return found.group(1) if found else ""


def admits(wanted: str, version: str) -> bool:
    """Whether ``requires-python`` lets a minor version in, some patch of it at least."""
    here = tuple(map(int, version.split(".")))
    return all(_holds(each, here) for each in _CLAUSE.findall(wanted))


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield a version that ``requires-python`` refuses, or that is another than the pinned one."""
    version = version_of(environment)
    if not version:
        return
    place = environment.place("python" if environment.fact("python") else "runtime")
    scope = scope_of(program.files, environment)
    for file, wanted in _wanted(program.files, scope):
        if file.endswith(".toml") and not admits(wanted, version):
            yield fault(CHECK, Rank.START, place,
                        f"{environment.label} runs Python {version}, and {file} requires {wanted}"
                        )  # fmt: skip
        elif not file.endswith(".toml") and wanted != version:
            yield fault(CHECK, Rank.BEHAVIOUR, place,
                        f"{environment.label} runs Python {version}, and {file} says {wanted}"
                        )  # fmt: skip


def _wanted(files: Files, scope: str) -> Iterator[tuple[str, str]]:
    for folder in dict.fromkeys((scope, "")):
        project = f"{folder}pyproject.toml"
        if project in files.names:
            try:
                table = tomllib.loads(files.read(project).decode("utf-8"))
            except (ValueError, RecursionError):
                table = {}
            section = table.get("project")
            text = section.get("requires-python") if isinstance(section, dict) else None
            if isinstance(text, str):
                yield project, text
        pinned = f"{folder}.python-version"
        found = re.match(rb"\s*(?:cpython-)?(\d+\.\d+)", files.read(pinned)) if (
            pinned in files.names) else None  # fmt: skip
        if found is not None:
            yield pinned, found.group(1).decode()


def _holds(clause: tuple[str, str, str, str, str], here: tuple[int, ...]) -> bool:
    sign, major, minor, patch, _ = clause
    bound = (int(major), int(minor)) if minor else (int(major),)
    part = here[: len(bound)]
    if sign == "~=" and not patch:
        return here >= bound and here[0] == bound[0]
    answers = {
        ">=": part >= bound, "<=": part <= bound, "==": part == bound, "~=": part == bound,
        "!=": part != bound or bool(patch), ">": part >= bound if patch else part > bound,
        "<": part <= bound if patch and patch != ".0" else part < bound,
    }  # fmt: skip
    return answers[sign]


def _runtime(text: str) -> str:
    found = re.match(r"python(\d)\.?(\d+)\Z", text)
    return f"{found.group(1)}.{found.group(2)}" if found else ""


CHECK = Check(
    id="cloud-python",
    level=Level.ERROR,
    why="Packages refuse to be installed on a Python that they do not name, and syntax and library "
    "differ by version.",
    source="Python packaging: requires-python; images of python on Docker Hub; runtimes of Lambda",
    fix="deploy the version that is developed and tested with, or test with the deployed one",
    run=on_deployed(faults),
)
