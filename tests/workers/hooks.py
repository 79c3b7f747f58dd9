"""Hook files on disk, and the body of a hook in one of them run as the engine would."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pointsman.engine.run import Clock, run_all
from pointsman.model.decision import Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreToolUse
from pointsman.model.hook import Hook, HookContext, HookRun, Role
from pointsman.paths.content import digest
from pointsman.workers.python_worker import PythonWorker

EVENT = PreToolUse(
    identity=Identity(host="claude-code", session="s", cwd="/"),
    tool_name="Bash",
    tool_input={"command": "ls"},
)
Body = Callable[[Event, HookContext], Awaitable[Decision | None]]


@dataclass(frozen=True)
class Folder:
    """A folder of hook files."""

    path: Path

    def write(self, name: str, source: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        return file

    def worker(self, name: str = "check.py") -> PythonWorker:
        sources = {str(file): digest(str(file)) for file in self.path.rglob("*.py")}
        return PythonWorker(str(self.path / name), str(self.path), sources)


async def asked(body: Body, role: Role = Role.GUARD, seconds: float = 20.0) -> HookRun:
    """Ask a hook as the engine does."""
    hook = Hook(name="check", role=role, run=body)
    (run,) = await run_all([(hook, EVENT)], lambda _hook, _event: seconds, Clock())
    return run


def exists(group: int) -> bool:
    """Whether a process of this group is left that has not ended."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in {"Z", "X"}:
            return True
    return False


async def gone(group: int) -> None:
    """Wait until no process of a group is left."""
    await until(lambda: not exists(group))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, with a generous limit."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells what the kernel does
            await asyncio.sleep(0.01)
