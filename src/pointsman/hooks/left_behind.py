"""What an agent has changed, held to its contract once it ends."""

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pointsman.model.contract import ALLOW_ALL, Contract
from pointsman.model.ran import RunCommand
from pointsman.paths.globs import Globs
from pointsman.paths.overlap import Territory

_MOST_SHOWN = 10
_GIT = (
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
    "-c", "log.showSignature=false",
)  # fmt: skip
"""Without what a repository's configuration could have it run."""

_TESTS = (
    "test_{stem}{suffix}",
    "{stem}_test{suffix}",
    "{stem}.test{suffix}",
    "{stem}.spec{suffix}",
)
"""How a test is named that stands beside what it tests."""


async def changed_files(run: RunCommand, root: str, since_ns: int, seconds: float) -> list[str]:
    """Return the files that are changed, new, or in a commit since then, from the root."""
    if seconds <= 0:
        return []
    half = seconds / 2
    status = await run((*_GIT, "status", "--porcelain", "-uall", "--no-renames"), root, half)
    since = f"--since=@{since_ns // 10**9}"
    log = (*_GIT, "log", since, "--name-only", "--format=", "--no-renames", "-n", "100")
    commits = await run(log, root, half)
    found = [line[3:].strip('"') for line in _lines(status.code, status.output)]
    return found + list(_lines(commits.code, commits.output))


def _lines(code: int | None, text: str) -> Iterator[str]:
    # Where git says no there is no repository of its: then only what we saw ourselves counts.
    return (line for line in text.splitlines() if line.strip()) if code == 0 else iter(())


def out_of_scope(contract: Contract, edited: Sequence[str], root: str) -> Iterator[str]:
    """Yield what was changed and is not the agent's, as one finding."""
    real = os.path.realpath(root)
    everything = contract.allowed is ALLOW_ALL
    territory = Territory(None if everything else contract.allowed, contract.forbidden)
    outside = [
        path for path in edited
        if contract.read_only or not _belongs(path, territory, real, everything=everything)
    ]  # fmt: skip
    if outside:
        more = f" and {len(outside) - _MOST_SHOWN} more" if len(outside) > _MOST_SHOWN else ""
        yield f"scope_valid: out of scope: {', '.join(outside[:_MOST_SHOWN])}{more}"


def _belongs(path: str, territory: Territory, root: str, *, everything: bool) -> bool:
    if path.startswith(f"{root}/"):
        return territory.holds(path[len(root) + 1 :], root)
    absolute = Globs(territory.allowed or ()).match_absolute(path)
    return everything or absolute is not None


def missing_tests(
    contract: Contract, edited: Sequence[str], changed: Sequence[str], root: str
) -> Iterator[str]:
    """Yield that code was changed and no test, as one finding.

    ``edited`` are absolute and surely the agent's; ``changed`` are from the root and may be
    anybody's: they count only in its favour.
    """
    real = os.path.realpath(root)
    own = [path[len(real) + 1 :] for path in edited if path.startswith(f"{real}/")]
    code, tests = Globs(contract.code or contract.allowed), Globs(contract.tests)
    touched = [path for path in own if code.match(path) and not _is_test(path, tests)]
    if not touched:
        return
    everything = [*own, *changed]
    if any(tests.match(path) for path in everything):
        return
    beside = {name for path in touched for name in _beside(path)} if contract.colocated else set()
    if beside & set(everything):
        return
    where = ", ".join(contract.tests) or "beside the files"
    yield (
        f"requiresTests: {', '.join(touched[:_MOST_SHOWN])} changed, and no test did; "
        f"tests stand in: {where}"
    )


def _is_test(path: str, tests: Globs) -> bool:
    name = PurePosixPath(path).name
    return bool(tests.match(path)) or name.startswith("test_") or ".test." in name


def _beside(path: str) -> Iterator[str]:
    pure = PurePosixPath(path)
    for form in _TESTS:
        yield str(pure.with_name(form.format(stem=pure.stem, suffix=pure.suffix)))
