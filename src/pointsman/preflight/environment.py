"""Which variables a project names, by a table of readers: a file's name says which one reads it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import yaml

from pointsman.model.preflight import Files, Use
from pointsman.preflight import (
    env_docker,
    env_dotenv,
    env_python,
    env_shell,
    env_terraform,
    env_typescript,
    env_yaml,
)

_MOST_USES = 50_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files whose last name fits ``pattern``."""

    pattern: "re.Pattern[str]"
    uses: Callable[[bytes, str], Iterable[Use]]


READERS = (
    Reader(re.compile(r".*\.pyi?\Z"), env_python.uses),
    Reader(re.compile(r".*\.(?:[cm]?[jt]s|[jt]sx)\Z"), env_typescript.uses),
    Reader(re.compile(r"(?:.*\.)?env(?:\..*)?\Z|\.envrc\Z"), env_dotenv.uses),
    Reader(re.compile(r"(?:.*\.)?(?:Docker|Container)file(?:\..*)?\Z"), env_docker.uses),
    Reader(re.compile(r".*\.ya?ml\Z"), env_yaml.uses),
    Reader(re.compile(r".*\.tf\Z"), env_terraform.uses),
    Reader(re.compile(r".*\.(?:ba|z)?sh\Z"), env_shell.uses),
)
"""A new kind of file is one file and one line here; the first that fits reads it."""


def reader_of(file: str) -> Reader | None:
    """Return who reads a file, ``None`` where nobody does."""
    name = file.rpartition("/")[2]
    return next((each for each in READERS if each.pattern.match(name)), None)


def environment(files: Files) -> tuple[tuple[Use, ...], dict[str, str]]:
    """Return every use in a project, and which files could not be understood, with the reason."""
    found: list[Use] = []
    unread: dict[str, str] = {}
    for file in files.names:
        reader = reader_of(file)
        if reader is None:
            continue
        try:
            found.extend(_once(reader.uses(files.read(file), file)))
        except (SyntaxError, ValueError, RecursionError, yaml.YAMLError) as error:
            unread[file] = " ".join(str(error).split())[:200]
        if len(found) > _MOST_USES:
            unread[file] = f"more than {_MOST_USES} places name a variable; the rest was not read"
            break
    return tuple(found), unread


def _once(uses: Iterable[Use]) -> Iterator[Use]:
    seen: set[tuple[str, int, int, int]] = set()
    for use in uses:
        key = (use.name, use.start, use.end, use.line)
        if key not in seen:
            seen.add(key)
            yield use
