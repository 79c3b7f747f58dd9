"""Every check of the audit, where it finds something and where it does not; and the score."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.audit_input import read_inputs
from pointsman.agents.audit_settings import BROAD
from pointsman.agents.claude_audit import CHECKS, audit
from pointsman.agents.claude_events import registration
from pointsman.config.contracts import load_contracts
from pointsman.model.audit import Audit, Finding, Level
from pointsman.paths.client_command import client_command

OURS = registration(client_command().argv, (9999,))
GUARDED = {"hooks": OURS}
PAGE = Path(__file__).parents[2] / "docs/audit.md"
PROMPT = "You build what stands in src, and nothing else; tests are another agent's. " * 3


class Project:
    """A repository with settings, agents and files, in a directory of the test's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.repository = root / "repo"
        self.bin = root / "bin"
        for folder in (self.home, self.repository, self.bin):
            folder.mkdir()
        self.texts: dict[str, tuple[str, bytes | None]] = {}
        self.settings({})

    def settings(self, value: Mapping[str, Any] | str, scope: str = "project") -> "Project":
        text = value if isinstance(value, str) else json.dumps(value, indent=1)
        self.texts[scope] = (str(self.repository / f".claude/{scope}.json"), text.encode())
        return self

    def file(self, name: str, text: str = "", mode: int = 0o644) -> Path:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def agent(self, name: str = "builder", more: str = "", prompt: str = PROMPT) -> "Project":
        text = f"---\nname: {name}\ndescription: builds\n{more}---\n{prompt}\n"
        self.file(f".claude/agents/{name}.md", text)
        return self

    def audit(self) -> Audit:
        contracts = load_contracts(self.repository).by_agent
        environ = {"PATH": str(self.bin), "SET": "1"}
        inputs = read_inputs(self.texts, self.repository, self.home, environ, contracts)
        return audit(inputs)

    def found(self, check: str) -> list[Finding]:
        return [each for each in self.audit().findings if each.id == check]

    def levels(self, check: str) -> list[str]:
        return [each.level.value for each in self.found(check)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def hooks(entry: Mapping[str, Any], event: str = "PreToolUse", **group: Any) -> dict[str, Any]:
    """Return settings with one hook of somebody else's."""
    return {"hooks": {event: [{**group, "hooks": [{"type": "command", **entry}]}]}}


# --- permissions and switches -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "level"),
    [
        ("Bash", "error"), ("Bash(*)", "error"), ("Bash(:*)", "error"), ("*", "error"),
        ("Bash(sudo *)", "error"), ("Bash(bash:*)", "error"), ("Bash(python3 *)", "error"),
        ("Bash(npx *)", "error"), ("Bash(bash -c *)", "error"),
        ("Bash(ssh host *)", "error"), ("Bash(bash build.sh *)", ""),
        ("Bash(timeout 9 make x)", ""),
        ("mcp__*", "error"), ("mcp__*__*", "error"),
        ("Write(//**)", "error"), ("Edit(~/**)", "error"),
        ("Bash(git *)", "warning"), ("Bash(git:*)", "warning"), ("Bash(npm *)", "warning"),
        ("Bash(docker *)", "warning"), ("Bash(git push *)", "warning"),
        ("Bash(git push:*)", "warning"), ("WebFetch(domain:*)", "warning"),
        ("Bash(python3 -c *)", "error"), ("Bash(node -e:*)", "error"),
        ("Bash(git push origin HEAD)", ""), ("Bash(rm *)", "warning"), ("Bash(curl:*)", "warning"),
        ("WebFetch", "warning"), ("WebFetch(*)", "warning"), ("Read(//**)", "warning"),
        ("Read(/**)", "warning"), ("Read(~/**)", "warning"),
        ("Bash(npm test)", ""), ("Bash(npm run test *)", ""), ("Bash(git status)", ""),
        ("Bash(git diff *)", ""), ("Bash(ls *)", ""), ("WebFetch(domain:example.com)", ""),
        ("mcp__notes__*", ""), ("mcp__notes", ""), ("Read(./src/**)", ""), ("Read", ""),
        ("Edit(./src/**)", ""), ("Read(//tmp/**)", ""), ("Bash(python3 build.py)", ""),
        ("Bash(gitk *)", ""), ("Grep", ""),
    ],
)  # fmt: skip
def test_allow_rules(project: Project, rule: str, level: str) -> None:
    project.settings({"permissions": {"allow": [rule], "deny": [rule], "ask": [rule]}})
    assert project.levels("broad-allow") == ([level] if level else [])


def test_every_pattern_of_a_broad_rule_can_be_reached() -> None:
    for pattern, allowed, _, fix in BROAD:
        assert allowed
        assert not any(re.fullmatch(pattern, rule) for rule in fix.split(", "))


@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        ({"permissions": {"defaultMode": "bypassPermissions"}}, ["error"]),
        ({"permissions": {"defaultMode": "bypassPermissions"}, **GUARDED}, ["warning"]),
        (
            {"permissions": {"defaultMode": "bypassPermissions"}, "disableAllHooks": True}
            | GUARDED,
            ["error"],
        ),
        ({"permissions": {"defaultMode": "acceptEdits"}}, []),
        ({}, []),
    ],
)
def test_the_default_mode(project: Project, settings: dict[str, Any], levels: list[str]) -> None:
    assert project.settings(settings).levels("bypass-mode") == levels


@pytest.mark.parametrize(
    ("check", "settings", "levels"),
    [
        ("all-project-servers", {"enableAllProjectMcpServers": True}, ["warning"]),
        ("all-project-servers", {"enableAllProjectMcpServers": False}, []),
        ("hooks-off", {"disableAllHooks": True}, ["error"]),
        ("hooks-off", {"disableAllHooks": False}, []),
        ("env-leads-away", {"env": {"POINTSMAN_STATE_DIR": "/x"}}, ["error"]),
        ("env-leads-away", {"env": {"HOME": "/x"}}, ["error"]),
        ("env-leads-away", {"env": {"ANTHROPIC_BASE_URL": "https://example.com"}}, ["warning"]),
        ("env-leads-away", {"env": {"EDITOR": "vi"}}, []),
        ("settings-ignored", {"model": 5}, ["error"]),
        ("settings-ignored", "{", ["error"]),
        ("settings-ignored", "[]", ["error"]),
        ("settings-ignored", {"model": "opus"}, []),
        ("event-silenced", {"hooks": {"Stop": {}}}, ["error"]),
        ("event-silenced", {"hooks": {"Stop": [{"hooks": [{"type": "command"}]}]}}, ["error"]),
        ("event-silenced", {"hooks": {"Stop": []}}, []),
        ("unknown-event", {"hooks": {"PreTolUse": []}}, ["error"]),
        ("unknown-event", {"hooks": {"PreToolUse": []}}, []),
        ("old-format", {"hooks": {"PreToolUse": [{"matcher": "Bash", "command": "x"}]}}, ["error"]),
        ("old-format", hooks({"command": "true"}, matcher="Bash"), []),
        ("no-guard", {}, ["error"]),
        ("no-guard", {**GUARDED, "disableAllHooks": True}, ["error"]),
        ("no-guard", GUARDED, []),
    ],
)
def test_switches_and_shapes(
    project: Project, check: str, settings: Any, levels: list[str]
) -> None:
    assert project.settings(settings).levels(check) == levels


def test_an_agent_that_asks_nobody(project: Project) -> None:
    assert project.agent(more="permissionMode: acceptEdits\n").levels("bypass-mode") == []
    project.agent(more="permissionMode: bypassPermissions\n")
    assert project.levels("bypass-mode") == ["error"]
    assert project.settings(GUARDED).levels("bypass-mode") == ["warning"]


def test_an_entry_of_ours_that_says_less(project: Project) -> None:
    assert project.settings(GUARDED).found("guard-weakened") == []
    weak = json.loads(json.dumps(GUARDED))
    weak["hooks"]["PreToolUse"][0]["hooks"][0]["async"] = True
    (found,) = project.settings(weak).found("guard-weakened")
    assert "asynchronous" in found.what


# --- hooks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "matcher", "level"),
    [
        ("PreToolUse", "Bash", ""), ("PreToolUse", "", ""), ("PreToolUse", "*", ""),
        ("PreToolUse", "Edit|Write", ""), ("PreToolUse", "Edit, Write", ""),
        ("PreToolUse", "Task", ""), ("PreToolUse", "mcp__notes__save", ""),
        ("PreToolUse", "mcp__.*", ""), ("PreToolUse", "mcp__notes__*", ""),
        ("PreToolUse", "^Ba", ""), ("PreToolUse", ".*", ""), ("PreToolUse", "Notebook.*", ""),
        ("SessionStart", "startup|resume", ""), ("Stop", "anything", ""),
        ("SubagentStart", "builder", ""), ("FileChanged", ".env", ""),
        ("PreToolUse", "bash", "error"), ("PreToolUse", "Bsh", "error"),
        ("PreToolUse", "Edit|Wirte", "warning"), ("PreToolUse", "Edit|write", "error"),
        ("PreToolUse", "Foo.*Bar", "error"), ("PreToolUse", "^bash$", "error"),
        ("PreToolUse", "Bash(git *)", "error"), ("PreToolUse", "mcp__notes", "error"),
        ("PreToolUse", "(", "error"), ("SessionStart", "begin", "error"),
        ("SessionStart", "^begin", "error"), ("PreCompact", "Auto", "error"),
    ],
)  # fmt: skip
def test_matchers(project: Project, event: str, matcher: str, level: str) -> None:
    project.settings(hooks({"command": "true"}, event, matcher=matcher))
    assert project.levels("matcher-never-matches")[:1] == ([level] if level else [])


@pytest.mark.parametrize(
    ("timeout", "level"),
    [
        (45_000, "error"), (10_000, "error"), (3601, "error"), (3000, "warning"), (1000, "warning"),
        (600, ""), (60, ""), (1200, ""), (None, ""), ("x", ""), (True, ""),
    ],
)  # fmt: skip
def test_the_unit_of_a_timeout(project: Project, timeout: Any, level: str) -> None:
    given = {} if timeout is None else {"timeout": timeout}
    found = project.settings(hooks({"command": "true", **given})).found("timeout-unit")
    assert [each.level.value for each in found] == ([level] if level else [])
    if level:
        assert f"write {timeout / 1000:g}" in found[0].fix


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"command": "true"}, ""),
        ({"command": "tool"}, ""),
        ({"command": "tool --x 'a b'"}, ""),
        ({"command": "A=1 exec tool"}, ""),
        ({"command": "nothing-of-the-kind"}, "is not on the PATH"),
        ({"command": "{repo}/ok.sh"}, ""),
        ({"command": "$CLAUDE_PROJECT_DIR/ok.sh"}, ""),
        ({"command": '"${CLAUDE_PROJECT_DIR}"/ok.sh --x'}, ""),
        ({"command": "./ok.sh"}, ""),
        ({"command": "~/gone.sh"}, "gone.sh is not there"),
        ({"command": "$CLAUDE_PROJECT_DIR/gone.sh"}, "gone.sh is not there"),
        ({"command": "{repo}/plain.sh"}, "plain.sh is not executable"),
        ({"command": "{repo}"}, "is not executable"),
        ({"command": "{repo}/odd.sh"}, "the interpreter of"),
        ({"command": "{repo}/env.py"}, "the program python9 is not on the PATH"),
        ({"command": "{repo}/bare.sh"}, "names no interpreter"),
        ({"command": "sh {repo}/plain.sh"}, ""),
        ({"command": "sh -x {repo}/gone.sh"}, "gone.sh is not there"),
        ({"command": "sh -c 'gone; x'"}, ""),
        ({"command": "sh $OTHER/x.sh"}, "the variable OTHER is set nowhere"),
        ({"command": "$SET/x"}, ""),
        ({"command": "$CLAUDE_PLUGIN_ROOT/x"}, ""),
        ({"command": "gone | tool"}, ""),
        ({"command": "tool 'x"}, "the shell cannot read it"),
        ({"command": "{repo}/ok.sh", "args": ["x"]}, ""),
        ({"command": "{repo}/gone", "args": ["x"]}, "gone is not there"),
        ({"type": "http", "command": "{repo}/gone"}, ""),
        ({"type": "prompt", "prompt": "x"}, ""),
    ],
)
def test_hooks_that_cannot_be_started(project: Project, entry: dict[str, Any], fault: str) -> None:
    for name in ("tool", "sh"):
        path = project.bin / name
        path.write_bytes(b"\x7fELF")
        path.chmod(0o755)
    project.file("ok.sh", f"#!{project.bin}/sh\n", 0o755)
    project.file("plain.sh", "#!/bin/sh\n")
    project.file("odd.sh", "#!/no/such/shell -e\n", 0o755)
    project.file("env.py", "#!/usr/bin/env -S python9 -u\n", 0o755)
    project.file("bare.sh", "#!\n", 0o755)
    given = {
        key: value.replace("{repo}", str(project.repository)) if isinstance(value, str) else value
        for key, value in entry.items()
    }
    found = project.settings(hooks(given)).found("dead-hook")
    assert [each.what for each in found if fault in each.what] == [each.what for each in found]
    assert bool(found) == bool(fault)
    if fault:
        assert found[0].level is Level.ERROR
        later = project.settings(hooks(given, "PostToolUse")).found("dead-hook")
        assert later[0].level is Level.WARNING


def test_a_variable_of_the_settings_own_is_set(project: Project) -> None:
    project.settings({**hooks({"command": "$OWN/x"}), "env": {"OWN": "/x"}})
    assert project.found("dead-hook") == []


@pytest.mark.parametrize(
    ("entry", "event", "level"),
    [
        ({"command": "true"}, "PreToolUse", "note"),
        ({"command": "true", "onFailure": "block"}, "PreToolUse", ""),
        ({"command": "true", "async": True, "onFailure": "block"}, "PreToolUse", "warning"),
        ({"command": "true"}, "PostToolUse", ""),
    ],
)
def test_guards_of_others_that_fail_open(
    project: Project, entry: dict[str, Any], event: str, level: str
) -> None:
    assert project.settings(hooks(entry, event)).levels("guard-fails-open") == (
        [level] if level else []
    )


def test_one_dead_program_is_told_once_for_each_file(project: Project) -> None:
    dead = [{"hooks": [{"type": "command", "command": "gone"}]}]
    project.settings({"hooks": {"Stop": dead, "PreToolUse": dead}})
    project.settings({"hooks": {"Stop": dead}}, "user")
    first, second = project.found("dead-hook")
    assert first.what.startswith("hooks.Stop and 1 more events: the program gone")
    assert (first.level, second.level) == (Level.ERROR, Level.WARNING)


# --- agents and contracts -----------------------------------------------------------------------

_SRC = 'outputs:\n  allowed_modifications: ["src/**"]\n'


@pytest.mark.parametrize(
    ("check", "more", "levels"),
    [
        ("agent-without-contract", "", ["warning"]),
        ("agent-without-contract", "tools: Read, Grep\n", []),
        ("agent-without-contract", "tools: Read, Bash\n", ["warning"]),
        ("agent-without-contract", "tools: [Read, mcp__notes__save]\n", ["warning"]),
        ("agent-without-contract", _SRC, []),
        ("agent-without-contract", 'outputs:\n  allowed_modifications: ["**"]\n', []),
        ("contract-allows-all", 'outputs:\n  allowed_modifications: ["**"]\n', ["warning"]),
        ("contract-allows-all", 'outputs:\n  allowed_modifications: ["a", "**/*"]\n', ["warning"]),
        (
            "contract-allows-all",
            'outputs:\n  allowed_modifications: ["**"]\n  forbidden_patterns: ["**/.env"]\n', [],
        ),
        ("contract-allows-all", _SRC, []),
        ("contract-allows-all", "", []),
        ("contract-broken", "outputs: 5\n", ["error"]),
        ("contract-broken", _SRC, []),
        ("agent-lacks-tools", f"tools: Read, Grep\n{_SRC}", ["warning"]),
        ("agent-lacks-tools", f"tools: Read, Edit\n{_SRC}", []),
        ("agent-lacks-tools", _SRC, []),
        ("agent-lacks-tools", "tools: Read\n", []),
        ("tight-tools-weak-hooks", "tools: Read, Edit\n", ["warning"]),
        ("tight-tools-weak-hooks", "tools: Read\n", []),
        ("tight-tools-weak-hooks", "", []),
    ],
)  # fmt: skip
def test_agents(project: Project, check: str, more: str, levels: list[str]) -> None:
    assert project.agent(more=more).levels(check) == levels


def test_tight_tools_behind_a_guard_are_no_fault(project: Project) -> None:
    project.agent(more="tools: Read, Edit\n")
    project.settings({**GUARDED, "permissions": {"deny": ["Bash(rm *)"]}})
    assert project.found("tight-tools-weak-hooks") == []
    project.settings({"permissions": {"deny": ["Bash(rm *)"]}})
    assert len(project.found("tight-tools-weak-hooks")) == 2


def test_an_agent_that_is_told_next_to_nothing(project: Project) -> None:
    assert project.agent(prompt="Build.").levels("thin-prompt") == ["note"]
    assert project.agent(prompt=PROMPT).levels("thin-prompt") == []


@pytest.mark.parametrize("text", ["", "no frontmatter", "---\n: [\n---\n", "---\nname: 5\n---\n"])
def test_a_file_that_declares_no_agent_is_none(project: Project, text: str) -> None:
    project.file(".claude/agents/x.md", text)
    assert project.found("thin-prompt") == []


# --- places, score, table -----------------------------------------------------------------------


def test_a_finding_names_file_and_line(project: Project) -> None:
    project.settings('{\n "permissions": {\n  "allow": [\n   "Bash(*)"\n  ]\n }\n}', "user")
    (found,) = project.found("broad-allow")
    assert (found.file, found.line) == (project.texts["user"][0], 4)
    assert "Bash(*)" in found.what
    assert found.why
    assert found.fix


def test_a_project_as_it_should_be_has_all_points(project: Project) -> None:
    project.file("CLAUDE.md", "x")
    project.agent(more=_SRC).settings({**GUARDED, "permissions": {"allow": ["Bash(npm test)"]}})
    found = project.audit()
    assert [each for each in found.findings if each.level is not Level.NOTE] == []
    assert found.score == 100
    assert not found.failed
    assert [(part.points, part.most) for part in found.parts] == [
        (20, 20), (20, 20), (40, 40), (20, 20),
    ]  # fmt: skip


def test_nothing_has_few_points_and_says_why(project: Project) -> None:
    found = project.audit()
    assert found.failed
    assert {part.name: part.points for part in found.parts} == {
        "permissive tools": 20, "strict prompts": 10, "enforcement by hooks": 0, "contracts": 15,
    }  # fmt: skip
    for part in found.parts:
        assert bool(part.reasons) == (part.points < part.most)


@pytest.mark.parametrize(
    ("part", "settings", "points"),
    [
        ("permissive tools", {**GUARDED, "permissions": {"deny": ["Bash"]}}, 10),
        ("permissive tools", {**GUARDED, "permissions": {"allow": ["Bash(*)"]}}, 18),
        ("permissive tools", {"permissions": {"allow": ["Bash(*)"]}}, 15),
        ("permissive tools", {**GUARDED, "permissions": {"deny": ["Bash(rm *)"]}}, 20),
        ("enforcement by hooks", {"hooks": {"PreToolUse": OURS["PreToolUse"]}}, 25),
        ("enforcement by hooks", {**GUARDED, "env": {"HOME": "/x"}}, 30),
    ],
)
def test_points_are_lost_for_a_reason(
    project: Project, part: str, settings: dict[str, Any], points: int
) -> None:
    (found,) = [each for each in project.settings(settings).audit().parts if each.name == part]
    assert found.points == points
    assert sum(int(reason.partition(":")[0]) for reason in found.reasons) == points - found.most


def test_agents_that_are_held_to_nothing_cost_their_share(project: Project) -> None:
    project.agent("one", _SRC).agent("two")
    (found,) = [each for each in project.audit().parts if each.name == "contracts"]
    assert found.points == 10
    assert "two" in found.reasons[0]


def test_every_check_has_an_id_of_its_own_and_its_row_in_the_page() -> None:
    ids = [check.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning|note)", PAGE.read_text(), re.MULTILINE)
    assert rows == [(check.id, check.level.value) for check in CHECKS]


def test_the_users_own_agents_are_looked_at_behind_those_of_the_repository(tmp_path: Path) -> None:
    repository, home = tmp_path / "repository", tmp_path / "home"
    for base, names in ((repository, ("both",)), (home, ("both", "mine"))):
        folder = base / ".claude/agents"
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.md").write_text(f"---\nname: {name}\n---\nYou work.\n")
    files = [each.file for each in read_inputs({}, repository, home, {}, {}).agents]
    assert files == [
        str(repository / ".claude/agents/both.md"),
        str(home / ".claude/agents/mine.md"),
    ]
    config = {"CLAUDE_CONFIG_DIR": str(repository / "elsewhere")}
    assert len(read_inputs({}, repository, home, config, {}).agents) == 1


@pytest.mark.parametrize(
    ("command", "dead"),
    [
        ("uv run .claude/hooks/gone.py", True),
        ("uv run --script .claude/hooks/gone.py --fast", True),
        ("bun run $CLAUDE_PROJECT_DIR/.claude/hooks/gone.ts", True),
        ("uv run .claude/hooks/here.py", False),
        ("uv run pytest", False),
        ("bun run check", False),
    ],
)
def test_a_script_that_a_runner_is_given_has_to_be_there(
    project: Project, command: str, dead: bool
) -> None:
    for name in ("uv", "bun"):
        program = project.bin / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    project.file(".claude/hooks/here.py")
    entry = {"hooks": [{"type": "command", "command": command}]}
    found = project.settings({"hooks": {"PreToolUse": [entry]}}).found("dead-hook")
    assert len(found) == dead
    assert all("gone" in each.what for each in found)


def test_one_fault_of_a_matcher_is_told_once(project: Project) -> None:
    hooks = [{"type": "command", "command": "true"}]
    entries = [{"matcher": each, "hooks": hooks} for each in ("Bash(git *)", "(", "bash")]
    assert (
        len(project.settings({"hooks": {"PreToolUse": entries}}).found("matcher-never-matches"))
        == 3
    )
