"""Environments of services in Compose files, with the ``.env`` files that they name."""

import posixpath
import re
from collections.abc import Iterator

from pointsman.model.preflight import Files
from pointsman.preflight.environments_local import dotenv
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.environments_tree import Part

_FACTS = {"image": "image", "user": "user", "mem_limit": "memory", "cpus": "cpu",
          "read_only": "read-only", "platform": "platform", "network_mode": "network"}  # fmt: skip


def is_compose(file: str) -> bool:
    """Whether a file is one that Compose reads, by its name."""
    name = file.rpartition("/")[2]
    return bool(re.match(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml\Z", name))


def of_document(document: Part, file: str, files: Files) -> Iterator[Environment]:
    """Yield an environment for each service of a Compose file."""
    services = document.at("services")
    folder = file.rpartition("/")[0]
    for name, service in services.table.items():
        variables, unknown = _from_files(service, folder, files)
        variables |= _written(service.at("environment"), file)
        facts = {what: Fact(service.at(key).text, file, service.lines[key])
                 for key, what in _FACTS.items() if service.at(key).text}  # fmt: skip
        limits = service.at("deploy", "resources", "limits")
        for key, what in (("cpus", "cpu"), ("memory", "memory")):
            if limits.at(key).text:
                facts[what] = Fact(limits.at(key).text, file, limits.lines[key])
        words = [each.text for part in (service.at("entrypoint"), service.at("command"))
                 for each in part.each()]  # fmt: skip
        if words:
            facts["command"] = Fact(" ".join(words), file, service.line)
        facts |= _build(service, folder, file)
        for each in service.at("ports").items[:1]:
            port = (each.at("target").text or each.text).rpartition(":")[2].partition("/")[0]
            facts["port"] = Fact(port, file, each.line)
        yield Environment(
            label=f"{file}:{name}", sort=Sort.CONTAINER, file=file, line=services.lines[name],
            name=name, variables=variables, facts=facts, unknown=unknown,
            mounts=tuple(filter(None, map(_mount, service.at("volumes").items))),
        )  # fmt: skip


def _build(service: Part, folder: str, file: str) -> dict[str, Fact]:
    build = service.at("build")
    if not build:
        return {}
    named = build.at("context").text or build.text or "."
    context = posixpath.normpath(posixpath.join(folder, named))
    context = "" if context == "." else context
    docker = posixpath.join(context, build.at("dockerfile").text or "Dockerfile")
    at = Fact(context, file, build.line)
    return {"context": at, "dockerfile": Fact(docker, file, build.line)}


def _from_files(service: Part, folder: str, files: Files) -> tuple[dict[str, Variable], str]:
    found: dict[str, Variable] = {}
    unknown = ""
    for each in service.at("env_file").each():
        named = each.at("path").text or each.text
        path = posixpath.normpath(posixpath.join(folder, named))
        if path in files.names:
            found |= dotenv(files.read(path), path)
        else:
            unknown = f"{named} is not among the files"
    return found, unknown


def _written(part: Part, file: str) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for name, value in part.table.items():
        found[name] = _one(name, value.text, file, part.lines[name], bare=not value)
    for each in part.items:
        name, sign, text = each.text.partition("=")
        found[name] = _one(name, text, file, each.line, bare=not sign)
    return found


def _one(name: str, text: str, file: str, line: int, *, bare: bool) -> Variable:
    if bare or "${" in text.replace("$$", ""):
        return variable(name, None, Source.PASSED, file, line)
    return variable(name, text, Source.LITERAL, file, line)


def _mount(each: Part) -> str:
    if each.table:
        return each.at("target").text
    parts = each.text.split(":")
    return parts[1] if len(parts) > 1 else parts[0]
