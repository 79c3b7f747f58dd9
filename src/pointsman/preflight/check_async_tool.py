"""A synchronous tool waits, and the agent's framework calls it on the event loop."""

from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_blocking import What, blocking_of
from pointsman.preflight.async_tools import Registered, registered
from pointsman.preflight.async_versions import Since, at_least


def _run(project: Project) -> Iterator[Finding]:
    blocking = blocking_of(project.files)
    for tool in registered(blocking.kinds):
        if tool.function.is_async or tool.function not in blocking.through:
            continue
        where, says = _where(project, tool)
        if where is Since.YES:
            continue
        level = CHECK.level
        if where is Since.UNKNOWN or blocking.end(tool.function).what is What.FILE:
            level = Level.NOTE
        yield Finding(
            id=CHECK.id, level=level, file=tool.function.module.file,
            line=tool.function.node.lineno,
            what=f"{tool.framework.name} calls the synchronous tool {tool.function.name} on the "
            f"event loop ({says}), and {blocking.chain(tool.function)}",
            why=CHECK.why, fix=_fix(tool),
        )  # fmt: skip


def _where(project: Project, tool: Registered) -> tuple[Since, str]:
    """Return whether the framework uses a thread for a tool, and how that is known."""
    framework = tool.framework
    if tool.inline:
        return Since.NO, "run_in_thread=False"
    if framework.instead and _names(project, framework.instead):
        return Since.YES, framework.instead
    if not framework.threads_since:
        return Since.NO, "it always does"
    since, says = at_least(project.files, framework.package, framework.threads_since)
    if since is Since.UNKNOWN:
        return since, f"could not verify: {says}, and it does before {framework.threads_since}"
    return since, f"{framework.package} {says}, threads since {framework.threads_since}"


def _names(project: Project, word: str) -> bool:
    files = (each for each in project.files.names if each.endswith(".py"))
    return any(word.encode() in project.files.read(each) for each in files)


def _fix(tool: Registered) -> str:
    framework = tool.framework
    other = f", or ask for {framework.package}>={framework.threads_since}"
    if framework.instead:
        other = f", or give the run a {framework.instead}"
    elif not framework.threads_since or tool.inline:
        other = ""
    return f"make it async def and await asyncio.to_thread(...) around what waits{other}"


CHECK = Check(
    id="async-tool",
    level=Level.WARNING,
    why="While such a tool runs, no other tool, stream or request of the same loop moves.",
    source="google/adk-python#7160, #7253; openai/openai-agents-python#2387; "
    "modelcontextprotocol/python-sdk#1646; gofastmcp.com, function_tool",
    fix="make it async def and await asyncio.to_thread(...) around what waits",
    run=_run,
)
