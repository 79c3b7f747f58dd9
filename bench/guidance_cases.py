"""Growing input for what tells agents something: sheets, conventions, what a session leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.rig import Rig
from pointsman.agents.claude_code import NAME
from pointsman.conventions.shelf import Shelf as Conventions
from pointsman.expertise.shelf import Shelf
from pointsman.handoff.gather import gather
from pointsman.handoff.words import words
from pointsman.hooks.all_hooks import SHIPPED
from pointsman.hooks.kit import Kit
from pointsman.model.budget import LONGEST, Budget
from pointsman.model.convention import State
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreEdit, SessionStart, SubagentStart
from pointsman.model.handoff import AfterClear, Happening, Story
from pointsman.model.hook import Hook, HookContext
from pointsman.model.policy import Policy
from pointsman.model.team import Nobody
from pointsman.model.watching import ContextLimits

Prepare = Callable[[int, int], Callable[[], object]]


def asked(hook: Hook, event: Event) -> Callable[[], object]:
    """Return the call that asks a hook about an event, awaited where it has to be."""

    def call() -> object:
        answer = hook.run(event, HookContext(Budget.of(LONGEST)))
        return asyncio.run(_waited(answer)) if isinstance(answer, Awaitable) else answer

    return call


async def _waited(answer: Awaitable[object]) -> object:
    return await answer


def who(made: Rig) -> Identity:
    """Return an agent in the rig's repository."""
    where = str(made.repository)
    return Identity(
        host=NAME, session="s", agent_id="a", agent_type="builder", cwd=where, repository=where
    )


def expertise_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a session longer and longer sheets, and an agent a longer and longer prompt."""
    kit = Kit(places=made.places, experts=Shelf(None))
    sheet = Path(made.repository, ".claude/agents/experts/api/expertise.yaml")

    def lines(size: int, number: int) -> Callable[[], object]:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        issue = "- issue: it is slow in the morning\n"
        sheet.write_text(f"known_issues:\n- issue: n{number}\n{issue * (size // len(issue))}")
        hook = SHIPPED["expertise"](Policy(), kit)
        return asked(hook, SessionStart(identity=who(made), source="startup"))

    def prompt(piece: str) -> Prepare:
        def prepare(size: int, number: int) -> Callable[[], object]:
            team = _Told(f"{number} {piece * max(1, size // len(piece))}")
            told = Kit(places=made.places, experts=Shelf(None), team=team)
            hook = SHIPPED["expertise"](Policy(), told)
            return asked(hook, SubagentStart(identity=who(made)))

        return prepare

    most = 32 * 1024
    return [
        ("a long sheet", lines, 128 * 1024),
        *((f"prompt: {name}", prompt(piece), most)
          for name, piece in (("slashes", "/"), ("a long path", "a/"), ("paths", "a/b.py "),
                              ("dots", "a."), ("dashes", "-"), ("brackets", "[(")))
    ]  # fmt: skip


class _Told(Nobody):
    """A team whose agent was told this."""

    def __init__(self, text: str) -> None:
        self._text = text

    def prompt(self, event: Event) -> str:
        del event
        return self._text


def convention_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give an edit that is held to conventions a longer and longer text, and a longer command."""
    root = str(made.repository)
    text = "Never use `eval`.\nNo default exports.\nLines are at most 90 characters.\n"
    Path(root, "CLAUDE.md").write_text(text, encoding="utf-8")
    shelf = Conventions(made.places.state)
    shelf.book.say(root, list(shelf.found(root).rules), State.CONFIRMED)
    hook = SHIPPED["conventions"](Policy(), Kit(places=made.places, conventions=shelf))

    def edit(piece: str) -> Prepare:
        def prepare(size: int, number: int) -> Callable[[], object]:
            path = f"{root}/src/n{number}.ts"
            given = {"file_path": path, "content": f"{number}{piece * (size // len(piece))}"}
            return asked(
                hook,
                PreEdit(identity=who(made), tool_name="Write", tool_input=given, files=(path,)),
            )

        return prepare

    pieces = {
        "lines": "let a = 1\n", "spaces": " ", "quotes": "'", "double quotes": '"',
        "backticks": "`", "comments opened": "/*", "slashes": "/", "stars": "*",
        "backslashes": "\\", "commas and any": "<any,", "exports": "export ", "dots": "../",
        "imports": "import ", "one word": "a",
    }  # fmt: skip
    return [(f"edit: {name}", edit(piece), 512 * 1024) for name, piece in pieces.items()]


def convention_file_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a session longer and longer files of instructions."""

    def case(piece: str) -> Prepare:
        def prepare(size: int, number: int) -> Callable[[], object]:
            text = f"{number}\n{piece * (size // len(piece))}"
            Path(made.repository, "CLAUDE.md").write_text(text, encoding="utf-8")
            kit = Kit(places=made.places, conventions=Conventions(made.places.state))
            hook = SHIPPED["convention-files"](Policy(), kit)
            return asked(hook, SessionStart(identity=who(made), source="startup"))

        return prepare

    pieces = {
        "rules": "- Never use `eval`.\n", "words": "we write code ", "backticks": "`",
        "quotes": '"', "stars": "**", "ats": "@a ", "imports": "@a.md\n", "comments": "<!-- ",
        "uses": "use `a` ", "nevers": "never a.b ", "paths": "in a/b/ ", "tests": "tests in a/ ",
        "dots": ".", "slashes": "a/", "fences": "```\n", "numbers": "lines below 1 ",
    }  # fmt: skip
    lines = {f"lines of {name}": "".join((piece * 400)[:399].split("\n")) + "\n"
             for name, piece in pieces.items()}  # fmt: skip
    return [(f"file: {name}", case(piece), 128 * 1024) for name, piece in (pieces | lines).items()]


class _Cleared:
    """Hands over a session of so many events of a kind, made beforehand."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def after_clear(self, event: Event, mode: AfterClear, window: float, at: float) -> str:
        del event, mode
        return words(gather(self._story, "", ContextLimits(window, at, at)))


def handoff_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a session after /clear a longer and longer story of the one before it."""
    error: dict[str, object] = {"error": "Exit code 2\nx"}
    said: dict[str, object] = {"last_assistant_message": "We decided. Next: x.\n"}
    kinds: dict[str, tuple[str, str, dict[str, object]]] = {
        "failures": ("PostToolUseFailure", "Bash", error),
        "prompts": ("UserPromptSubmit", "", {"prompt": "build the next thing " * 4}),
        "tasks": ("TaskCreated", "", {"task_subject": "t"}),
        "ends": ("Stop", "", said),
        "commands": ("PostToolUse", "Bash", {"tool_input": {"command": "git commit -m 'x'"}}),
    }

    def case(event: str, tool: str, native: dict[str, object]) -> Prepare:
        def prepare(size: int, number: int) -> Callable[[], object]:
            story = Story("s", "/r", tuple(
                Happening(each, event, tool, native={**native, "task_id": f"{number} {each}",
                                                     "error": f"e{each * 7919}"})
                for each in range(max(1, size // 64))
            ))  # fmt: skip
            hook = SHIPPED["handoff"](Policy(), Kit(places=made.places, handoff=_Cleared(story)))
            return asked(hook, SessionStart(identity=who(made), source="clear"))

        return prepare

    return [(f"story of {name}", case(*given), 256 * 1024) for name, given in kinds.items()]
