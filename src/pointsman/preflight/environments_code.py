"""The program's own side: which variables it reads, and which files belong to which service."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pointsman.model.preflight import Files, How, Need, Use
from pointsman.preflight.environments_model import Environment

_CODE = (".py", ".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx")
_ASIDE = frozenset(
    {"test", "tests", "__tests__", "spec", "e2e", "examples", "example", "docs", "doc", "scripts",
     "bench", "benchmarks", "fixtures", "notebooks", "ci", ".github", ".ci", "tools"}
)  # fmt: skip
_ASIDE_NAME = re.compile(
    r"(?:test_.*|.*_test|conftest|noxfile|setup|tasks|fabfile)\.py\Z|.*\.(?:test|spec|config)\.\w+\Z"
)
_WORST = (Need.START, Need.REQUEST, Need.MAYBE, Need.DEFAULT)
SYSTEM = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "PWD", "TMPDIR", "TEMP", "TMP", "SHELL",
     "HOSTNAME", "TERM", "LOGNAME", "CI", "DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "EDITOR",
     "PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
     "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "DISPLAY"}
)  # fmt: skip
"""Names that a system has or has not, whoever deploys on it."""
_BY_LIBRARIES = re.compile(
    r"(?:GOOGLE|GCLOUD|CLOUDSDK|AWS|AZURE|OTEL|OPENAI|ANTHROPIC|GEMINI|VERTEXAI|HF|HUGGINGFACE"
    r"|LANGCHAIN|LANGSMITH|SENTRY|DD|PG|REDIS|UVICORN|GUNICORN|PYTHON|NODE|SSL|REQUESTS|HTTP"
    r"|HTTPS|NO|ADK|MLFLOW|WANDB)_[A-Z0-9_]+\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A variable that the program reads: the place that fares worst without it, and how many."""

    name: str
    need: Need
    file: str
    line: int
    fallback: str = ""
    places: int = 1


def is_program(file: str) -> bool:
    """Whether a file is one that runs where the program is deployed, by its name."""
    *folders, name = file.split("/")
    return name.endswith(_CODE) and not (_ASIDE.intersection(folders) or _ASIDE_NAME.match(name))


def program(files: Files, environment: Environment) -> Iterator[str]:
    """Yield the files of the program that an environment runs."""
    scope = scope_of(files, environment)
    for file in files.names:
        if file.startswith(scope) and is_program(file):
            yield file


def scope_of(files: Files, environment: Environment) -> str:
    """Return the directory of a service's code, with a slash; empty where it is all of it.

    It is the one that Compose builds, the one that is called as the service, or the manifest's own.
    """
    folders = {file.rpartition("/")[0] for file in files.names if is_program(file)}
    context = environment.fact("context").strip("./")
    own = environment.file.rpartition("/")[0]
    called = _plain(environment.name)
    for folder in sorted(folders, key=len):
        if folder and _plain(folder.rpartition("/")[2]) == called and folder != "src":
            # Where the whole program is one package of that name, it is all of it.
            alone = all(each == "" or _within(each, folder) for each in folders)
            return "" if alone else f"{folder}/"
    for folder in (context, own):
        if folder and any(_within(each, folder) for each in folders):
            return f"{folder}/"
    return ""


def reads(uses: Iterable[Use], files: Iterable[str]) -> dict[str, Read]:
    """Return what the named files read, by variable."""
    wanted = frozenset(files)
    found: dict[str, list[Use]] = {}
    asked: set[tuple[str, str]] = set()
    given: dict[str, Use] = {}
    for use in uses:
        if use.file not in wanted or use.name in SYSTEM:
            continue
        if use.how is How.SET:
            given[use.name] = use
        elif use.need is Need.ASKED:
            asked.add((use.name, use.file))
        elif use.how is How.READ:
            found.setdefault(use.name, []).append(use)
    return {name: _read(name, places, asked, given) for name, places in found.items()}


def by_libraries(name: str) -> bool:
    """Whether libraries read such a name, so that it counts although the program does not."""
    return bool(_BY_LIBRARIES.match(name))


def _read(name: str, places: list[Use], asked: set[tuple[str, str]], given: dict[str, Use]) -> Read:
    def need(use: Use) -> Need:
        if name in given:
            return Need.DEFAULT
        hard = use.need in {Need.START, Need.REQUEST}
        return Need.MAYBE if hard and (name, use.file) in asked else use.need

    first = min(places, key=lambda use: (_WORST.index(need(use)), use.file, use.line))
    return Read(name=name, need=need(first), file=first.file, line=first.line,
                fallback=first.fallback, places=len(places))  # fmt: skip


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _within(folder: str, above: str) -> bool:
    return folder == above or folder.startswith(f"{above}/")
