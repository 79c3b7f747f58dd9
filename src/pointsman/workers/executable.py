"""A hook that is any executable: canonical event JSON on stdin, exit code and JSON out.

Exit 0 with nothing is no opinion, exit 0 with a JSON object is that decision, exit 2 is a denial
with stderr as its reason. Everything else is no answer, which for a guard is a hard stop.
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from pointsman.model.canonical import decision_from_json, event_to_json
from pointsman.model.decision import Decision, deny
from pointsman.model.errors import HookError
from pointsman.model.event import Event
from pointsman.model.hook import HookContext
from pointsman.paths.content import digest
from pointsman.workers import process

_SECRET_PREFIXES = ("ANTHROPIC_", "OPENAI_", "AWS_SECRET", "GITHUB_TOKEN", "CLAUDE_CODE_MESSAGING")
_Stamp = tuple[int, int, int]


def executable_hook(
    command: Sequence[str], base: str, sources: Mapping[str, str] | None = None
) -> Callable[[Event, HookContext], Awaitable[Decision | None]]:
    """Return the body of a hook that runs this command in the directory ``base``.

    ``sources`` are files by the hash of what was trusted: they must hold that when the command
    starts, and be untouched when it has ended, or its answer counts for nothing.
    """

    async def run(event: Event, context: HookContext) -> Decision | None:
        before = [_verified(path, value) for path, value in (sources or {}).items()]
        stdin = json.dumps(event_to_json(event)).encode() + b"\n"
        environ = hook_environ(context)
        finished = await process.run(command, stdin, cwd=base, environ=environ)
        if before != [_stamp(path) for path in sources or {}]:
            raise HookError(f"{' or '.join(sources or {})} was changed while it ran")
        for line in finished.stderr.decode(errors="replace").splitlines()[:50]:
            context.log(line)
        return read_answer(finished)

    return run


def _verified(path: str, trusted: str) -> _Stamp:
    # Before it is read: what changes meanwhile then shows in the stamp afterwards.
    stamp = _stamp(path)
    try:
        found = digest(path)
    except OSError as error:
        raise HookError(f"{path} cannot be read: {error.strerror}", fix=f"ls -l {path}") from error
    if found != trusted:
        raise HookError(
            f"{path} is not what was trusted. A person looks at it and types: pointsman trust"
        )
    return stamp


def _stamp(path: str) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice for every run
    except OSError:
        return (0, 0, 0)
    # Of the times the one of the last change: unlike the modification's no call sets it back.
    return (found.st_ctime_ns, found.st_ino, found.st_size)


def hook_environ(context: HookContext) -> Mapping[str, str]:
    """Return the daemon's environment without secrets, with the budget that is left."""
    return base_environ() | {
        "POINTSMAN_BUDGET": f"{context.budget.remaining():.3f}",
        "POINTSMAN_SETTINGS": json.dumps(dict(context.settings), default=str),
    }


def base_environ() -> dict[str, str]:
    """Return the daemon's environment without secrets."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_SECRET_PREFIXES)
    }


def read_answer(finished: process.Finished) -> Decision | None:
    """Turn an ended process into a decision.

    Raises:
        HookError: for an exit code other than 0 and 2, and for output that is no answer.
    """
    stderr = finished.stderr.decode(errors="replace").strip()
    if finished.code == 2:
        return deny(stderr or "the hook gave no reason")
    if finished.code != 0:
        how = f"signal {-finished.code}" if finished.code < 0 else f"exit code {finished.code}"
        raise HookError(f"it ended with {how}: {stderr[:500] or 'nothing on stderr'}")
    text = finished.stdout.strip()
    if not text:
        return None
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise HookError(f"its output is not one JSON value: {error}: {text[:80]!r}") from None
    return decision_from_json(value)


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Build an object; a key that comes twice could say two things."""
    out: dict[str, object] = {}
    for key, value in pairs:
        if key in out:
            raise ValueError(f"the key {key!r} comes twice")
        out[key] = value
    return out
