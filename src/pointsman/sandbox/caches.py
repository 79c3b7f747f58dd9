"""What is writable whatever a contract says, so that compilers and tests run as before."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pointsman.sandbox.order import within

TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
"""The machine's temporary directories; the host keeps its own small files there too."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A tool's directory: the variable that names it, where it is otherwise, what of it."""

    variable: str
    home: str
    parts: tuple[str, ...]
    why: str


CACHES = (
    Cache("XDG_CACHE_HOME", ".cache", ("",), "pip, uv, go-build, pre-commit, Playwright and more"),
    Cache("PIP_CACHE_DIR", ".cache/pip", ("",), "wheels and downloads of pip"),
    Cache("UV_CACHE_DIR", ".cache/uv", ("",), "wheels and downloads of uv"),
    Cache("npm_config_cache", ".npm", ("",), "packages and logs of npm"),
    Cache("", ".yarn/berry/cache", ("",), "packages of yarn"),
    Cache("", ".local/share/pnpm/store", ("",), "packages of pnpm"),
    Cache("", ".bun/install/cache", ("",), "packages of bun"),
    Cache(
        "CARGO_HOME", ".cargo", ("registry", "git", ".package-cache", ".global-cache"),
        "crates; the programs in bin and the settings beside them stay read-only",
    ),
    Cache("GOCACHE", ".cache/go-build", ("",), "what go has compiled"),
    Cache("GOMODCACHE", "go/pkg/mod", ("",), "modules of go"),
    Cache("GOPATH", "go", ("pkg",), "modules and checksums of go; bin stays read-only"),
    Cache(
        "GRADLE_USER_HOME", ".gradle", ("caches", "daemon", "native", "wrapper", ".tmp"),
        "gradle; init.d and gradle.properties stay read-only",
    ),
    Cache("", ".m2", ("repository",), "artifacts of maven; settings.xml stays read-only"),
    Cache("", ".ivy2", ("cache",), "artifacts of sbt"),
    Cache("", ".nuget", ("packages",), "packages of .NET"),
    Cache("", ".ccache", ("",), "what ccache has compiled"),
    Cache("", ".cabal", ("packages",), "packages of Haskell"),
    Cache("", ".node-gyp", ("",), "headers that node extensions are compiled with"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A directory of a repository that tools write: its name, and the files that ask for it.

    It is made where one of the files is there (and holds ``holding``) and it is not: a mount needs
    something to be put over.
    """

    name: str
    files: tuple[str, ...]
    why: str
    holding: str = ""


_PYTHON = ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", "conftest.py")
MADE = (
    Made(".pytest_cache", _PYTHON, "which tests failed last", "pytest"),
    Made(".mypy_cache", _PYTHON, "types that mypy has worked out", "mypy"),
    Made(".ruff_cache", (*_PYTHON, "ruff.toml"), "what ruff has looked at", "ruff"),
    Made(".hypothesis", _PYTHON, "examples that failed", "hypothesis"),
    Made("target", ("Cargo.toml", "pom.xml"), "what cargo and maven build"),
    Made("build", ("build.gradle", "build.gradle.kts", "CMakeLists.txt"), "what is built there"),
    Made(".gradle", ("build.gradle", "build.gradle.kts"), "gradle's own state"),
    Made("node_modules/.cache", ("package.json",), "what bundlers have compiled"),
    Made("node_modules/.vite", ("package.json",), "what vite has bundled"),
    Made(".nyc_output", ("package.json",), "coverage of node", "nyc"),
    Made("coverage", ("package.json",), "coverage of node", "coverage"),
)
"""``__pycache__`` is not among them: Python runs what lies there, for whoever runs it next."""

_IGNORED = ".gitignore"
_READ = 262_144


def temporary(environ: Mapping[str, str], root: str, home: str) -> tuple[list[str], list[str]]:
    """Return the temporary directories, and what is said of a TMPDIR that is none."""
    found = [path for each in TEMPORARY if os.path.isdir(path := os.path.realpath(each))]
    own = environ.get("TMPDIR", "")
    if not own.startswith("/") or not os.path.isdir(own):
        return list(dict.fromkeys(found)), []
    real = os.path.realpath(own)
    if any(within(real, each) for each in found) and not within(real, root):
        # The host makes it for its own files; it is below one already.
        return list(dict.fromkeys(found)), []
    if is_own(real, root, home, ("tmp", "temp")):
        return list(dict.fromkeys([*found, real])), []
    return list(dict.fromkeys(found)), [f"TMPDIR is {own}, which is no temporary directory"]


def caches(environ: Mapping[str, str], root: str, home: str) -> list[str]:
    """Return the directories and files of tools' caches that are there."""
    found: list[str] = []
    for cache in CACHES:
        named = environ.get(cache.variable, "") if cache.variable else ""
        places = {os.path.join(home, cache.home)} if home.startswith("/") else set()
        if named.startswith("/"):
            places.add(named)
        for place in sorted(places):
            for part in cache.parts:
                path = os.path.join(place, part) if part else place
                # First, as most are not there: to resolve a path takes a look at each part of it.
                if not os.path.exists(path):
                    continue
                real = os.path.realpath(path)
                if real == os.path.normpath(os.path.join(home, cache.home, part)) or is_own(
                    real, root, home, ("cache", "tmp", *filter(None, cache.parts))
                ):
                    found.append(real)
    return list(dict.fromkeys(found))


def is_own(path: str, root: str, home: str, words: tuple[str, ...]) -> bool:
    """Whether a directory that a variable names is what it claims to be.

    A repository's settings can set variables: one that names the repository, a home or anything
    that holds one of them would make that writable.
    """
    if within(root, path) or within(path, root) or within(home, path):
        return False
    try:
        if os.stat(path).st_uid != os.geteuid():
            return False
    except OSError:
        return False
    name = os.path.basename(path).lower()
    return any(word.lower() in name for word in words)


def made(root: str) -> Iterator[str]:
    """Yield the directories of a repository that its tools write, making what is not there."""
    for each in MADE:
        path = f"{root}/{each.name}"
        if _is_directory(path) or (
            not os.path.lexists(path)
            and _is_directory(os.path.dirname(path))
            and any(_asks(f"{root}/{file}", each.holding) for file in each.files)
            and _make(path)
        ):
            yield path


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _asks(file: str, holding: str) -> bool:
    if not holding:
        return os.path.isfile(file)
    try:
        with open(file, "rb") as opened:
            return holding.encode() in opened.read(_READ)
    except OSError:
        return False


def _make(path: str) -> bool:
    try:
        os.mkdir(path)
        if os.path.basename(path).startswith("."):
            # As the tools do it when they make it themselves: git does not show it.
            with open(f"{path}/{_IGNORED}", "x", encoding="ascii") as file:
                file.write("*\n")
    except OSError:
        return False
    return True
