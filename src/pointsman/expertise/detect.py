"""Which domains a project has: by its experts, its directories, its manifests and what they name.

Nothing has to be configured. Looked at are directories down to ``DEEPEST`` below the root, at most
``MOST_DIRECTORIES`` of them, and the manifests in them.
"""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.expertise.manifests import dependencies
from pointsman.expertise.signs import DEEPEST, DIRECTORIES, ENDINGS, FRAMEWORKS, LANGUAGES, SKIPPED
from pointsman.model.expertise import FILE_NAMES, Domain, Level, SheetFile
from pointsman.paths.content import read_regular

EXPERTS = ".claude/agents/experts"
"""Where the sheets of a repository lie; the user's lie in ``experts`` beside their agents."""
MOST_DIRECTORIES = 2000
MOST_EXPERTS = 64
_MOST_ENTRIES = 4000
_MOST_MANIFEST = 1024 * 1024
_BY_NAME = {name: domain for domain, names in DIRECTORIES.items() for name in names}
_HIDDEN = frozenset({".github"})


@dataclass(slots=True)
class _Found:
    signs: dict[str, None] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)
    files: list[SheetFile] = field(default_factory=list)


def plain(name: str) -> str:
    """Return a domain's name without what makes no difference: ``API-development`` is ``api``."""
    lowered = name.lower().replace("_", "-")
    for ending in ENDINGS:
        lowered = lowered.removesuffix(ending) or lowered
    return lowered


def detect(root: str, own: str | None) -> list[Domain]:
    """Return the domains of the repository at ``root``; those of its own experts come first.

    ``own`` is the directory of the user's experts. Of these only those count whose domain the
    project has: what is known of Django is no matter where there is none.
    """
    found: dict[str, _Found] = {}
    for name, path in experts_in(f"{root}/{EXPERTS}"):
        each = found.setdefault(name, _Found())
        each.signs[f"{EXPERTS}/{name}"] = None
        each.files.append(SheetFile(Level.PROJECT, path))
    known = {plain(name): name for name in found}
    for sign in _signs(root):
        each = found.setdefault(known.setdefault(plain(sign.domain), sign.domain), _Found())
        each.signs[sign.text] = None
        each.paths.update(dict.fromkeys(sign.paths))
    for name, path in experts_in(own) if own else ():
        domain = known.get(plain(name))
        if domain is not None:
            # First what the user says, then the project: the last word is the project's.
            found[domain].files.insert(0, SheetFile(Level.USER, path))
    return sorted(
        (Domain(name, tuple(it.signs), tuple(it.paths), tuple(it.files))
         for name, it in found.items()),
        key=lambda domain: (not domain.files, domain.name),
    )  # fmt: skip


def experts_in(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the domains that have a sheet in a folder of experts, and where it lies."""
    for entry, _ in _entries(folder)[:MOST_EXPERTS]:
        for name in FILE_NAMES:
            path = f"{folder}/{entry}/{name}"
            # A link that leads nowhere is there too: that it cannot be read has to be said.
            if os.path.lexists(path):
                yield entry, path
                break


@dataclass(frozen=True, slots=True)
class _Sign:
    domain: str
    text: str
    paths: tuple[str, ...]


def _signs(root: str) -> Iterator[_Sign]:
    todo = deque([("", 0)])
    for _ in range(MOST_DIRECTORIES):
        if not todo:
            return
        folder, depth = todo.popleft()
        prefix = f"{folder}/" if folder else ""
        for name, is_directory in _entries(f"{root}/{folder}"):
            path = f"{prefix}{name}"
            if name in LANGUAGES:
                yield from _of_manifest(root, path)
            elif is_directory and depth < DEEPEST and _is_ours(name):
                if name in _BY_NAME:
                    yield _Sign(_BY_NAME[name], path, (f"{path}/",))
                todo.append((path, depth + 1))


def _of_manifest(root: str, path: str) -> Iterator[_Sign]:
    folder, _, name = path.rpartition("/")
    domain, suffixes = LANGUAGES[name]
    # Below a package's own manifest are its files; beside the root's are those of the suffix.
    files = (f"{folder}/",) if folder else suffixes
    yield _Sign(domain, path, files)
    try:
        text = read_regular(f"{root}/{path}", _MOST_MANIFEST).decode()
        named = dependencies(name, text)
    except (OSError, ValueError):
        return
    for package in named:
        for each in FRAMEWORKS.get(package, ()):
            # What "api" is besides its directory is not every file of the language.
            own = files if FRAMEWORKS[package][0] == each else ()
            yield _Sign(each, f"{package} in {path}", own)


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Return what lies in a folder, in order of names, and whether it is a directory itself."""
    try:
        with os.scandir(folder) as entries:
            # Not through links: they lead round in circles, and out of the project.
            return sorted(
                (entry.name, entry.is_dir(follow_symlinks=False))
                for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)
            )
    except OSError:
        return []


def _is_ours(name: str) -> bool:
    return name in _HIDDEN or not (name.startswith(".") or name in SKIPPED)
