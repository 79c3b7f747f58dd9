"""Every environment that the files of a project describe, and one of them by what it is called."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import yaml

from pointsman.model.preflight import Files, Project
from pointsman.preflight import (
    environments_compose,
    environments_described,
    environments_lambda,
    environments_manifest,
    environments_terraform,
)
from pointsman.preflight.environments_code import SYSTEM, scope_of
from pointsman.preflight.environments_image import of_dockerfile
from pointsman.preflight.environments_local import local, of_dotenv, of_shell
from pointsman.preflight.environments_manifest import Around
from pointsman.preflight.environments_model import Environment, Sort
from pointsman.preflight.environments_tree import Part, documents

_YAML = re.compile(r".*\.ya?ml\Z")
_JSON = re.compile(rb"\A\s*\{")
_SIGN = re.compile(
    rb"^\s*[\"']?(?:apiVersion|services|Resources|template|environment)[\"']?\s*:", re.MULTILINE
)
_DOCKER = re.compile(r"(?:.*/)?(?:[\w-]+\.)?(?:Docker|Container)file(?:\.[\w-]+)?\Z")
_DOTENV = re.compile(r"(?:.*/)?(?:[\w-]+)?\.env(?:\.[\w.-]+)?\Z")
_STAGES = {
    "staging": re.compile(r"(?i)(?:^|[/._-])(?:staging|stage|stg)(?=$|[/._-])"),
    "production": re.compile(r"(?i)(?:^|[/._-])(?:production|prod|prd)(?=$|[/._-])"),
}
_ASIDE = re.compile(r"(?:^|/)(?:tests?|fixtures|examples?|docs?|node_modules|\.github)/")
Live = Callable[[str], bytes]
"""Asks for a service by name, and returns how its platform describes it, as JSON."""


@lru_cache(maxsize=1)
def environments(files: Files) -> tuple[Environment, ...]:
    """Return what manifests and Terraform describe, with what their images bring along.

    Files that cannot be understood give nothing here; the check ``unread`` names them.
    """
    names = [each for each in files.names if not _ASIDE.search(each)]
    read = {each: _documents(files, each) for each in names if _YAML.match(each)}
    around = _around(read)
    found: list[Environment] = []
    for file, parts in read.items():
        found.extend(_with_image(each, files) for each in _of(file, parts, around, files))
    for file in names:
        if file.endswith(".tf"):
            made = environments_terraform.environments(files.read(file), file)
            found.extend(_with_image(each, files) for each in made)
    return tuple(found)


def deployed(files: Files) -> tuple[Environment, ...]:
    """Return those that a platform runs."""
    return tuple(each for each in environments(files) if each.sort is Sort.DEPLOYED)


def stage_of(file: str) -> str:
    """Return ``staging`` or ``production`` where a path says so, else nothing."""
    return next((stage for stage, sign in _STAGES.items() if sign.search(file)), "")


def unstaged(text: str) -> str:
    """Return a path or name without the words that say which stage it is of."""
    for sign in _STAGES.values():
        text = sign.sub("/", text)
    return text.strip("/")


class Sources:
    """Finds one environment by what somebody typed."""

    def __init__(self, project: Project, root: Path, shell: Mapping[str, str], live: Live) -> None:
        self._project = project
        self._root = root
        self._shell = shell
        self._live = live

    def find(self, name: str) -> Environment:
        """Return the environment of that name.

        ``shell``, ``local`` (shell and ``.env``), ``cloud`` (the manifest that is found),
        ``staging``, ``production``, ``live:SERVICE``, or a file, with ``:SERVICE`` where it
        describes several.

        Raises:
            ValueError: there is none, or more than one; the message says which there are.
        """
        files = self._project.files
        wanted = {each.name for each in self._project.uses} - SYSTEM
        if name == "shell":
            return of_shell(self._root, self._shell, wanted)
        if name == "local":
            return local(self._root, files, self._shell, wanted)
        if name.startswith("live:"):
            data = self._live(name.removeprefix("live:"))
            return self._one(name, self._in(name, data, parse=True))
        if name in {"cloud", *_STAGES}:
            return self._discovered(name)
        return self._file(name)

    def _discovered(self, name: str) -> Environment:
        files = self._project.files
        found = [each for each in deployed(files)
                 if name == "cloud" or stage_of(f"{each.file}/{each.name}") == name]  # fmt: skip
        if name == "cloud" and len(found) > 1:
            found = [each for each in found if stage_of(each.file) == "production"] or found
        return self._one(name, found)

    def _file(self, name: str) -> Environment:
        file, service = name, ""
        if not self._content(file):
            file, _, service = name.rpartition(":")
        data = self._content(file)
        if not data:
            known = ", ".join(("local", "shell", "cloud", *self._known()))
            raise ValueError(f"{name} is no environment and no file; known here are {known}")
        if _DOTENV.match(file):
            return of_dotenv(data, file)
        if _DOCKER.match(file):
            return of_dockerfile(data, file)
        found = self._in(file, data, parse=_YAML.match(file) or _JSON.match(data))
        return self._one(name, [each for each in found if service in {"", each.name}])

    def _in(self, file: str, data: bytes, *, parse: object) -> list[Environment]:
        files = self._project.files
        if not parse:
            return list(environments_terraform.environments(data, file))
        try:
            parts = list(documents(data))
        except yaml.YAMLError as error:
            raise ValueError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
        described = [each for each in parts if environments_described.is_described(each)]
        if described:
            return [environments_described.of_document(each, file) for each in described]
        around = _around({each: _documents(files, each) for each in files.names
                          if _YAML.match(each)})  # fmt: skip
        found = [each for part in parts for each in environments_manifest.of_document(
            part, file, around)] if not parts[0].at("services") else []  # fmt: skip
        found = found or _of(file, parts, around, files)
        return [_with_image(each, files) for each in found]

    def _content(self, file: str) -> bytes:
        if file in self._project.files.names:
            return self._project.files.read(file)
        path = self._root / file
        return path.read_bytes()[: 1024 * 1024] if file and path.is_file() else b""

    def _known(self) -> list[str]:
        files = self._project.files
        single = [each for each in files.names if _DOTENV.match(each) or _DOCKER.match(each)]
        return [*single, *(f"{each.file}:{each.name}" for each in environments(files))][:20]

    def _one(self, name: str, found: list[Environment]) -> Environment:
        if len(found) == 1:
            return found[0]
        if not found:
            known = ", ".join(self._known()) or "none"
            raise ValueError(
                f"no environment is described by {name}; in the files there are {known}"
            )
        several = ", ".join(f"{each.file}:{each.name}" for each in found[:20])
        raise ValueError(f"{name} is one of several: say which, of {several}")


def _documents(files: Files, file: str) -> tuple[Part, ...]:
    data = files.read(file)
    if not _SIGN.search(data):
        return ()
    try:
        return tuple(documents(data))
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()


def _around(read: Mapping[str, Iterable[Part]]) -> Around:
    maps: dict[str, tuple[Part, str]] = {}
    hidden: dict[str, tuple[Part, str]] = {}
    merged = set()
    for file, parts in read.items():
        if file.rpartition("/")[2] in {"kustomization.yaml", "kustomization.yml"}:
            merged.add(file.rpartition("/")[0])
        for each in parts:
            holder = {"ConfigMap": maps, "Secret": hidden}.get(each.at("kind").text)
            if holder is not None:
                holder[each.at("metadata", "name").text] = (each, file)
    return Around(maps, hidden, frozenset(merged))


def _of(file: str, parts: Iterable[Part], around: Around, files: Files) -> list[Environment]:
    found: list[Environment] = []
    for part in parts:
        if environments_compose.is_compose(file):
            found.extend(environments_compose.of_document(part, file, files))
        elif part.at("Resources"):
            found.extend(environments_lambda.of_document(part, file))
        elif environments_described.is_described(part):
            try:
                found.append(environments_described.of_document(part, file))
            except ValueError:
                continue  # Said where it is asked for; other tools' files have such words too.
        else:
            found.extend(environments_manifest.of_document(part, file, around))
    return found


def _with_image(environment: Environment, files: Files) -> Environment:
    """Put what the image sets below what the manifest sets."""
    name = _dockerfile(environment, files)
    if not name:
        return environment
    image = of_dockerfile(files.read(name), name)
    facts = {**image.facts, **environment.facts}
    if "command" in environment.facts and environment.fact("command").startswith("-"):
        facts["command"] = image.facts.get("command", environment.facts["command"])
    return replace(environment, variables={**image.variables, **environment.variables}, facts=facts)


def _dockerfile(environment: Environment, files: Files) -> str:
    named = environment.fact("dockerfile")
    if named or environment.sort is Sort.CONTAINER:
        return named if named in files.names else ""
    if environment.target in {"lambda", "functions", "agent-engine", None}:
        return ""
    known = [each for each in files.names if _DOCKER.match(each) and not _ASIDE.search(each)]
    for folder in (scope_of(files, environment), ""):
        if f"{folder}Dockerfile" in known:
            return f"{folder}Dockerfile"
    return known[0] if len(known) == 1 else ""
