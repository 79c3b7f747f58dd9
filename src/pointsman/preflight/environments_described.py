"""Environments that somebody has written down: ``environments/staging.yaml`` and the like.

The form is in docs/preflight-compare.md; a word that is not known is refused, since a misspelt
one would be taken for something that the environment has not.
"""

from collections.abc import Mapping
from dataclasses import replace

from pointsman.model.preflight import Target
from pointsman.preflight.environments_manifest import given
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.environments_tree import Part

_TEXTS: Mapping[str, str] = {
    "python": "python", "cpu": "cpu", "memory": "memory", "port": "port",
    "identity": "identity", "timeout": "timeout", "concurrency": "concurrency", "min": "min",
    "max": "max", "replicas": "replicas", "vpc": "vpc", "user": "user", "command": "command",
    "read-only": "read-only", "image": "image", "ingress": "ingress",
}  # fmt: skip
_WORDS = frozenset({*_TEXTS, "environment", "target", "variables", "roles", "packages", "mounts"})
_SOURCES = {"secret": Source.SECRET, "config": Source.CONFIG, "from": Source.PASSED,
            "platform": Source.FIELD, "value": Source.LITERAL}  # fmt: skip


def is_described(document: Part) -> bool:
    """Whether a document is a description of an environment."""
    return bool(document.at("environment").text) and (
        "variables" in document.table or document.table.keys() <= _WORDS
    )


def of_document(document: Part, file: str) -> Environment:
    """Return the environment that a document describes.

    Raises:
        ValueError: a word in it is not known, or is not what it has to be.
    """
    strange = sorted(document.table.keys() - _WORDS)
    if strange:
        raise ValueError(
            f"{file}:{document.lines[strange[0]]}: {strange[0]} is no word of a description; "
            f"known are {', '.join(sorted(_WORDS))}"
        )
    words = document.at("target").text
    if words and words not in {"local", *map(str, Target)}:
        raise ValueError(f"{file}: target {words} is none of local, {', '.join(Target)}")
    target = Target(words) if words and words != "local" else None
    name = document.at("environment").text
    roles = document.at("roles")
    return Environment(
        label=f"{file} ({name})", sort=Sort.DEPLOYED if target else Sort.LOCAL, file=file,
        name=name, target=target, variables=_variables(document.at("variables"), file),
        facts={what: Fact(document.at(key).text, file, document.lines[key])
               for key, what in _TEXTS.items() if document.at(key).text},
        mounts=tuple(each.text for each in document.at("mounts").each()),
        roles=tuple(each.text for each in roles.each()) if "roles" in document.table else None,
        packages={each.lower(): part.text for each, part in document.at("packages").table.items()},
    )  # fmt: skip


def _variables(part: Part, file: str) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for each in part.items:  # a list of names says only that they are set
        found[each.text] = variable(each.text, None, Source.PASSED, file, each.line)
    for name, value in part.table.items():
        line = part.lines[name]
        if not value.table:
            found[name] = variable(name, given(value), Source.LITERAL, file, line)
            continue
        word = next(iter(value.table))
        if word not in _SOURCES:
            raise ValueError(
                f"{file}:{line}: {name} is given {word}; known are {', '.join(sorted(_SOURCES))}"
            )
        text = value.at(word).text
        source = _SOURCES[word]
        known = given(value.at(word)) if source is Source.LITERAL else None
        made = variable(name, known, source, file, line)
        found[name] = made if source is Source.LITERAL else replace(made, ref=text)
    return found
