"""What an image brings along: the last stage of a Dockerfile and those that it is built on."""

import json
import re
from dataclasses import dataclass, field

from pointsman.preflight import env_docker
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.spans import Lines

_WORD = re.compile(r"[ \t]*([A-Za-z]+)[ \t]+")
_FROM = re.compile(r"(?i)(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?")
_PYTHON = re.compile(r"(?:\A|/)python:(\d+\.\d+)|python(\d\.\d+)|uv:python(\d+\.\d+)")
_KEPT = {"EXPOSE": "expose", "USER": "user", "WORKDIR": "folder", "CMD": "command",
         "ENTRYPOINT": "entrypoint"}  # fmt: skip


@dataclass(slots=True)
class _Stage:
    variables: dict[str, Variable] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)


def of_dockerfile(data: bytes, file: str) -> Environment:
    """Return what a container of this file has before anybody sets anything."""
    lines = Lines(data)
    stages: dict[str, _Stage] = {}
    stage = _Stage()
    arguments: dict[str, str] = {}
    for start, end in env_docker.instructions(data):
        text = data[start:end].decode("utf-8", "replace")
        found = _WORD.match(text)
        if found is None:
            continue
        word = found.group(1).upper()
        rest = re.sub(r"\\\s*\n", " ", text[found.end() :]).strip()
        line = lines.of(start)
        if word == "FROM":
            stage = _from(rest, arguments, stages, Fact("", file, line))
        elif word == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = default.strip("\"'")
        elif word == "ENV":
            for name, value in _pairs(data, start + len(text[: found.end()].encode()), end):
                stage.variables[name] = variable(name, value, Source.IMAGE, file, line)
        elif word in _KEPT:
            stage.facts[_KEPT[word]] = Fact(_words(rest), file, line)
        elif word == "RUN":
            _installs(rest, stage, file, line)
    _command(stage)
    return Environment(
        label=file, sort=Sort.CONTAINER, file=file, variables=stage.variables, facts=stage.facts
    )


def _from(rest: str, arguments: dict[str, str], stages: dict[str, _Stage], at: Fact) -> _Stage:
    found = _FROM.match(rest)
    if found is None:
        return _Stage()
    base = re.sub(
        r"\$\{?(\w+)(?::-([^}]*))?\}?",
        lambda each: arguments.get(each.group(1)) or each.group(2) or "", found.group(1),
    )  # fmt: skip
    above = stages.get(base.lower(), _Stage())
    stage = _Stage(dict(above.variables), dict(above.facts))
    if base.lower() not in stages:
        stage.facts["image"] = Fact(base, at.file, at.line)
        python = _PYTHON.search(base)
        if python is not None:
            version = next(filter(None, python.groups()))
            stage.facts["python"] = Fact(version, at.file, at.line)
    if found.group(2):
        stages[found.group(2).lower()] = stage
    stages[str(len(stages))] = stage
    return stage


def _pairs(data: bytes, at: int, end: int) -> list[tuple[str, str | None]]:
    written = [each.group().decode("utf-8", "replace").partition("=")
               for each in env_docker.pairs(data, at, end)]  # fmt: skip
    if not written:
        name, _, value = data[at:end].decode("utf-8", "replace").strip().partition(" ")
        return [(name, _plain(value.strip()))] if re.fullmatch(r"\w+", name) else []
    return [(name, _plain(value)) for name, _, value in written]


def _plain(value: str) -> str | None:
    if value[:1] in {"'", '"'} and value[-1:] == value[:1]:
        value = value[1:-1]
    return None if "$" in value else value


def _words(rest: str) -> str:
    try:
        listed = json.loads(rest)
    except ValueError:
        return rest
    return " ".join(map(str, listed)) if isinstance(listed, list) else rest


def _command(stage: _Stage) -> None:
    entry = stage.facts.pop("entrypoint", None)
    if entry is not None:
        command = stage.facts.get("command")
        words = f"{entry.text} {command.text}" if command else entry.text
        stage.facts["command"] = Fact(words, entry.file, entry.line)


def _installs(rest: str, stage: _Stage, file: str, line: int) -> None:
    found = re.search(r"(?:pip3?|uv pip) install\b[^&;|]*?(?:-r|--requirement)[ =]?(\S+)", rest)
    if found is not None:
        stage.facts["installs"] = Fact(found.group(1), file, line)
    elif re.search(r"\b(?:uv sync|poetry install|pdm sync|pipenv sync)\b", rest):
        stage.facts["installs"] = Fact("lock", file, line)
