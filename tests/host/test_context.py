"""The real Claude Code is told what a file hangs on when it edits it, each thing once."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .messages_api import MessagesApi, Request, ToolUse
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

HEAD = "hangs on, as it is now"
PROJECT = {
    "package.json": '{"name": "shop"}\n',
    "src/money.ts": (
        "export interface Money {\n  amount: number;\n  currency: string;\n}\n"
        "export function add(a: Money, b: Money): Money {\n"
        "  return { ...a, amount: a.amount + b.amount };\n}\n"
    ),
    "src/total.ts": (
        "import { add, type Money } from './money.js';\n\n"
        "export function total(all: Money[]): Money {\n  return all.reduce(add);\n}\n"
    ),
    "src/page.ts": "import { total } from './total.js';\nconsole.log(total([]));\n",
    "test/total.test.ts": "import { total } from '../src/total.js';\ntotal([]);\n",
    "NOTES.md": "The total is shown on the page.\n",
}
TOLD = (
    "What src/total.ts hangs on, as it is now:",
    "src/money.ts:5 export function add(a: Money, b: Money): Money",
    "src/money.ts:1 export interface Money",
    "Used by 2 files, 1 of them tests:",
    "src/page.ts:1 total",
    "test/total.test.ts:1 total (test)",
    "./money.js → src/money.ts: add, Money",
)
SERVERS = ("tsc", "typescript-language-server")


def path_without_servers() -> str:
    """Return the PATH without the directories that have a language server of the files here."""
    parts = os.environ["PATH"].split(":")
    return ":".join(
        part for part in parts if not any(Path(part, each).exists() for each in SERVERS)
    )


def hanging_server(place: Path) -> str:
    """Put a program where TypeScript 7 would be that starts, reads and never answers."""
    program = place / "typescript/bin/tsc"
    program.parent.mkdir(parents=True)
    (place / "typescript/package.json").write_text('{"name": "typescript", "version": "7.0.2"}')
    program.write_text("#!/bin/sh\ncat >/dev/null\n:\n")
    program.chmod(0o755)
    return str(program.parent)


def a_project(claude: Claude, more: Mapping[str, str]) -> Iterator[Guarded]:
    with guarded(claude, more=more) as project:
        for name, text in PROJECT.items():
            project.write(name, text)
        # The index is whole from here on: who uses a file is known once it is.
        project.command("context", "src/total.ts")
        project.init()
        yield project


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project in TypeScript with our hooks, on a machine without a language server for it."""
    yield from a_project(claude, {"PATH": path_without_servers()})


@pytest.fixture
def hanging(claude: Claude, tmp_path: Path) -> Iterator[Guarded]:
    """The same where the language server hangs."""
    place = hanging_server(tmp_path / "programs")
    yield from a_project(claude, {"PATH": f"{place}:{path_without_servers()}"})


def texts(request: Request) -> list[str]:
    """Return every text of a request that speaks of what a file hangs on."""
    found: list[str] = []
    for message in request.body["messages"]:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [text for block in blocks for text in said(block) if HEAD in text]
    return found


def said(block: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a block, those of a tool's result among them."""
    yield str(block.get("text", ""))
    inner = block.get("content")
    if isinstance(inner, list):
        yield from (str(each.get("text", "")) for each in inner)
    elif isinstance(inner, str):
        yield inner


def read(under: Guarded, name: str) -> ToolUse:
    return ToolUse("Read", {"file_path": str(under.project / name)})


def edit(under: Guarded, name: str, old: str, new: str) -> ToolUse:
    given = {"file_path": str(under.project / name), "old_string": old, "new_string": new}
    return ToolUse("Edit", given)


def runs(under: Guarded) -> list[dict[str, Any]]:
    """Return the runs of the hook on the edits that are on record."""
    rows = under.rows("--event", "PreEdit")
    shown = [json.loads(under.command("ledger", "show", "--json", str(row["seq"]))) for row in rows]
    assert shown
    return [run for one in shown for run in one["hook_runs"] if run["hook"] == "dependencies"]


def test_an_edit_carries_what_its_file_hangs_on_once(under: Guarded, api: MessagesApi) -> None:
    api.script(
        "main",
        read(under, "src/total.ts"),
        edit(under, "src/total.ts", "all.reduce(add)", "all.reduce(add, all[0])"),
        edit(under, "src/total.ts", "all.reduce(add, all[0])", "all.reduce(add)"),
    )
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    begun, before, first, second = api.answered("main")
    assert texts(begun) == texts(before) == []
    (text,) = texts(first)
    assert [line for line in TOLD if line not in text] == []
    assert "[lsp]" not in text
    # The conversation still holds the first text, and the second edit has added none.
    assert texts(second) == [text]
    assert (under.project / "src/total.ts").read_text() == PROJECT["src/total.ts"]


def test_a_file_in_no_language_that_is_read_carries_nothing(
    under: Guarded, api: MessagesApi
) -> None:
    api.script("main", read(under, "NOTES.md"), edit(under, "NOTES.md", "total", "sum"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    requests = api.answered("main")
    assert len(requests) == 3
    assert [texts(request) for request in requests] == [[], [], []]
    assert "sum" in (under.project / "NOTES.md").read_text()
    assert runs(under) == []


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        ("under", "no language server for typescript: none of tsc, typescript-language-server"),
        ("hanging", "no answer in 0.4 s"),
    ],
)
def test_without_an_answer_of_a_server_the_syntax_is_told_and_the_cause_kept(
    machine: str, why: str, api: MessagesApi, request: pytest.FixtureRequest
) -> None:
    project: Guarded = request.getfixturevalue(machine)
    changed = "all.reduce(add, all[0])"
    api.script(
        "main",
        read(project, "src/total.ts"),
        edit(project, "src/total.ts", "all.reduce(add)", changed),
    )
    project.claude.run("Begin. SCRIPT=main", env=project.env)
    (text,) = texts(api.answered("main")[-1])
    assert "Declarations of what it uses: [syntax]" in text
    assert "Used by 2 files, 1 of them tests: [syntax]" in text
    assert changed in (project.project / "src/total.ts").read_text()
    (run,) = runs(project)
    assert [line for line in run["lines"] if why in line], run["lines"]
    assert run["outcome"] == "decided", run
